using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>cp.async, ldmatrix, stmatrix, movmatrix and mma.sync.</summary>
internal static unsafe class MatrixDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "cp": AsyncCopy(b, i); break;
            case "ldmatrix" or "stmatrix": Move(b, i); break;
            case "movmatrix": Transpose(b, i); break;
            default: Multiply(b, i); break;
        }
    }

    private static void Transpose(ProgramBuilder b, PtxInstruction i)
    {
        if (!i.Has("m8n8") || !i.Has("trans") || i.Type != B16)
            throw i.Unsupported();
        b.Emit(&MatrixTransposition.Run, b.Destination(i.Operands[0], B32), b.Source(i.Operands[1], B32));
    }

    private static void AsyncCopy(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Modifier(0) != "async" || (i.Has("bulk") && !i.Has("prefetch")) || i.Has("mbarrier"))
            throw i.Unsupported();
        if (i.Has("prefetch") || i.Has("commit_group") || i.Has("wait_group") || i.Has("wait_all"))
        {
            if (b.Sanitize && i.Has("commit_group"))
                b.Emit(&SanitizedControl.CommitCopies);
            else if (b.Sanitize && !i.Has("prefetch"))
                b.Emit(&SanitizedControl.WaitForCopies, aux: i.Has("wait_all") ? -1 : (int)i.Operands[0].Bits);
            else
                b.Emit(&ControlFlow.Nothing);
            return;
        }

        var (shared, offset) = MemoryDecoder.Address(b, i.Operands[0], StateSpace.Shared);
        var (global, displacement) = MemoryDecoder.Address(b, i.Operands[1], StateSpace.Global);
        var size = (int)i.Operands[2].Bits;
        var hasSourceSize = i.Operands.Count > 3 && !(i.Has("L2::cache_hint") && i.Operands.Count == 4);
        int[] extra = [(int)displacement, (int)(displacement >> 32)];
        if (size == 16 && !hasSourceSize)
        {
            b.EmitCheck<GlobalAddressing>(global, displacement, size, AccessKind.Read);
            b.EmitCheck<SharedAddressing>(shared, offset, size, AccessKind.Write | AccessKind.Asynchronous);
            b.EmitExtra(&AsyncCopyOperations.Copy16, extra, a: shared, b: global, imm: offset, aux: size);
            return;
        }

        var available = hasSourceSize ? b.Source(i.Operands[3], U32) : b.Constant((ulong)size, 4);
        b.EmitCheck<GlobalAddressing>(global, displacement, size, AccessKind.Read | AccessKind.VariableSize, [available]);
        b.EmitCheck<SharedAddressing>(shared, offset, size, AccessKind.Write | AccessKind.Asynchronous);
        b.EmitExtra(&AsyncCopyOperations.CopyPart, extra, a: shared, b: global, c: available, imm: offset, aux: size);
    }

    private static void Move(ProgramBuilder b, PtxInstruction i)
    {
        if (!i.Has("m8n8") || i.Type != B16)
            throw i.Unsupported();
        if (MemoryDecoder.Space(i) == StateSpace.Shared)
            Move<SharedAddressing>(b, i, StateSpace.Shared);
        else
            Move<GlobalAddressing>(b, i, StateSpace.Generic);
    }

    private static void Move<TAddressing>(ProgramBuilder b, PtxInstruction i, StateSpace space)
        where TAddressing : struct, IAddressing
    {
        var isLoad = i.Name == "ldmatrix";
        var transposed = i.Has("trans");
        var (data, target) = isLoad ? (i.Operands[0], i.Operands[1]) : (i.Operands[1], i.Operands[0]);
        var (address, displacement) = MemoryDecoder.Address(b, target, space);
        IReadOnlyList<PtxOperand> elements = data.Kind == OperandKind.Vector ? data.Elements : [data];
        if (elements.Count != (i.Has("x4") ? 4 : i.Has("x2") ? 2 : 1))
            throw i.Unsupported("the number of registers does not match the number of matrices");
        var slots = elements.Select(element => isLoad ? b.Destination(element, B32) : b.Source(element, B32)).ToArray();
        if (isLoad && slots.Contains(address))
        {
            // Later rows still need the address register.
            var copy = b.Temporary();
            b.EmitUnary<uint, uint, Move<uint>>(copy, address);
            address = copy;
        }

        b.EmitCheck<TAddressing>(address, displacement, 16, isLoad ? AccessKind.Read : AccessKind.Write, lanes: 8 * slots.Length);
        b.EmitExtra(
            (isLoad, transposed) switch
            {
                (true, false) => &MatrixMoves<TAddressing>.Load,
                (true, true) => &MatrixMoves<TAddressing>.LoadTransposed,
                (false, false) => &MatrixMoves<TAddressing>.Store,
                _ => &MatrixMoves<TAddressing>.StoreTransposed,
            },
            slots, a: address, imm: displacement, aux: slots.Length);
    }

    private static void Multiply(ProgramBuilder b, PtxInstruction i)
    {
        if (!i.Has("row") || !i.Has("col") || i.Types.Count != 4 || i.Has("satfinite") || i.Operands.Count != 4)
            throw i.Unsupported();
        var (d, a, bType) = (i.Types[0], i.Types[1], i.Types[2]);
        var depth = i.Modifier(2) switch
        {
            "m16n8k4" => 4,
            "m16n8k8" => 8,
            "m16n8k16" => 16,
            "m16n8k32" => 32,
            _ => throw i.Unsupported(),
        };
        switch (d, a, bType)
        {
            case (F32, BF16, BF16): Emit<BFloat16Fragment, BFloat16Fragment, SingleAccumulator>(b, i, depth); break;
            case (F32, F16, F16): Emit<Float16Fragment, Float16Fragment, SingleAccumulator>(b, i, depth); break;
            case (F16, F16, F16): Emit<Float16Fragment, Float16Fragment, HalfAccumulator>(b, i, depth); break;
            case (F32, TF32, TF32): Emit<TensorFloatFragment, TensorFloatFragment, SingleAccumulator>(b, i, depth); break;
            case (S32, S8, S8): Emit<SByteFragment, SByteFragment, Int32Accumulator>(b, i, depth); break;
            case (S32, U8, U8): Emit<ByteFragment, ByteFragment, Int32Accumulator>(b, i, depth); break;
            case (S32, S8, U8): Emit<SByteFragment, ByteFragment, Int32Accumulator>(b, i, depth); break;
            case (S32, U8, S8): Emit<ByteFragment, SByteFragment, Int32Accumulator>(b, i, depth); break;
            case (F32, E4M3, E4M3): Emit<E4M3Fragment, E4M3Fragment, SingleAccumulator>(b, i, depth); break;
            case (F32, E5M2, E5M2): Emit<E5M2Fragment, E5M2Fragment, SingleAccumulator>(b, i, depth); break;
            case (F32, E4M3, E5M2): Emit<E4M3Fragment, E5M2Fragment, SingleAccumulator>(b, i, depth); break;
            case (F32, E5M2, E4M3): Emit<E5M2Fragment, E4M3Fragment, SingleAccumulator>(b, i, depth); break;
            default: throw i.Unsupported();
        }
    }

    private static void Emit<TA, TB, TAccumulator>(ProgramBuilder b, PtxInstruction i, int depth)
        where TA : struct, IFragment
        where TB : struct, IFragment
        where TAccumulator : struct, IAccumulator
    {
        var halves = depth / (4 * TA.Parts);
        if (halves is not (1 or 2) || Count(i, 0) != TAccumulator.Registers || Count(i, 1) != 2 * halves
            || Count(i, 2) != halves || Count(i, 3) != TAccumulator.Registers)
        {
            throw i.Unsupported("the registers do not match the shape");
        }

        var extra = new List<int>();
        foreach (var element in i.Operands[0].Elements)
            extra.Add(b.Destination(element, B32));
        for (var operand = 1; operand < 4; operand++)
        {
            foreach (var element in Elements(i.Operands[operand]))
                extra.Add(b.Source(element, B32));
        }

        b.EmitExtra(&MatrixMultiply<TA, TB, TAccumulator>.Run, extra.ToArray(), aux: halves);
    }

    private static int Count(PtxInstruction i, int operand) => Elements(i.Operands[operand]).Count;

    private static IReadOnlyList<PtxOperand> Elements(PtxOperand operand) =>
        operand.Kind == OperandKind.Vector ? operand.Elements : [operand];
}
