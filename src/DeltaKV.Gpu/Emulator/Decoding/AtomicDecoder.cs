using System.Numerics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>atom and red. Scopes and orderings are all as strong as they can be.</summary>
internal static unsafe class AtomicDecoder
{
    private static readonly string[] Names = ["add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"];

    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        b.RequireAllWarps();
        if (MemoryDecoder.Space(i) == StateSpace.Shared)
            Decode<SharedAddressing>(b, i, StateSpace.Shared);
        else
            Decode<GlobalAddressing>(b, i, StateSpace.Global);
    }

    private static void Decode<TAddressing>(ProgramBuilder b, PtxInstruction i, StateSpace space)
        where TAddressing : struct, IAddressing
    {
        var name = i.Modifiers.FirstOrDefault(Names.Contains) ?? throw i.Unsupported();
        switch (name, i.Type)
        {
            case ("add", PtxType.F32):
                Emit<TAddressing, uint, AtomicAddSingle>(b, i, space);
                break;
            case ("add", PtxType.F64):
                Emit<TAddressing, ulong, AtomicAddDouble>(b, i, space);
                break;
            case ("add", PtxType.F16x2):
                Emit<TAddressing, uint, AtomicAddHalves<Float16Format>>(b, i, space);
                break;
            case ("add", PtxType.BF16x2):
                Emit<TAddressing, uint, AtomicAddHalves<BFloat16Format>>(b, i, space);
                break;
            case ("min", PtxType.S32):
                Emit<TAddressing, int, AtomicMinimum<int>>(b, i, space);
                break;
            case ("max", PtxType.S32):
                Emit<TAddressing, int, AtomicMaximum<int>>(b, i, space);
                break;
            case ("min", PtxType.S64):
                Emit<TAddressing, long, AtomicMinimum<long>>(b, i, space);
                break;
            case ("max", PtxType.S64):
                Emit<TAddressing, long, AtomicMaximum<long>>(b, i, space);
                break;
            case ("inc", PtxType.U32):
                Emit<TAddressing, uint, AtomicIncrement>(b, i, space);
                break;
            case ("dec", PtxType.U32):
                Emit<TAddressing, uint, AtomicDecrement>(b, i, space);
                break;
            case (_, PtxType.U32 or PtxType.S32 or PtxType.B32):
                Integer<TAddressing, uint>(b, i, space, name);
                break;
            case (_, PtxType.U64 or PtxType.S64 or PtxType.B64):
                Integer<TAddressing, ulong>(b, i, space, name);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Integer<TAddressing, T>(ProgramBuilder b, PtxInstruction i, StateSpace space, string name)
        where TAddressing : struct, IAddressing
        where T : unmanaged, IBinaryInteger<T>
    {
        switch (name)
        {
            case "add":
                Emit<TAddressing, T, AtomicAdd<T>>(b, i, space);
                break;
            case "and":
                Emit<TAddressing, T, AtomicAnd<T>>(b, i, space);
                break;
            case "or":
                Emit<TAddressing, T, AtomicOr<T>>(b, i, space);
                break;
            case "xor":
                Emit<TAddressing, T, AtomicXor<T>>(b, i, space);
                break;
            case "min":
                Emit<TAddressing, T, AtomicMinimum<T>>(b, i, space);
                break;
            case "max":
                Emit<TAddressing, T, AtomicMaximum<T>>(b, i, space);
                break;
            case "exch":
                Emit<TAddressing, T, AtomicExchange<T>>(b, i, space);
                break;
            case "cas":
                Emit<TAddressing, T, AtomicCompareExchange<T>>(b, i, space);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Emit<TAddressing, T, TOperation>(ProgramBuilder b, PtxInstruction i, StateSpace space)
        where TAddressing : struct, IAddressing
        where T : unmanaged, IBinaryInteger<T>
        where TOperation : struct, IAtomicOperation<T>
    {
        var first = i.Name == "atom" ? 1 : 0;
        var destination = first == 0 ? AtomicDestination.None : b.Destination(i.Operands[0], i.Type);
        var (address, displacement) = MemoryDecoder.Address(b, i.Operands[first], space);
        var operand = b.Source(i.Operands[first + 1], i.Type);
        var replacement = i.Operands.Count > first + 2 ? b.Source(i.Operands[first + 2], i.Type) : operand;
        b.EmitCheck<TAddressing>(address, displacement, i.Type.Size(), AccessKind.Atomic);
        b.Emit(&Atomic<TAddressing, T, TOperation>.Run, destination, address, operand, replacement, displacement);
    }
}
