using System.Numerics;
using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>mov, ld, st and address conversions. Cache hints and memory orderings have nothing to do here.</summary>
internal static unsafe class MemoryDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "mov": Move(b, i); break;
            case "cvta": ConvertAddress(b, i); break;
            case "isspacep": TestSpace(b, i); break;
            default: Access(b, i); break;
        }
    }

    /// <summary>The space an instruction names; generic when it names none.</summary>
    public static StateSpace Space(PtxInstruction i)
    {
        foreach (var modifier in i.Modifiers)
        {
            switch (modifier)
            {
                case "global": return StateSpace.Global;
                case "shared" or "shared::cta": return StateSpace.Shared;
                case "local": return StateSpace.Local;
                case "param" or "param::entry": return StateSpace.Param;
                case "const": return StateSpace.Const;
                default: break;
            }
        }

        return StateSpace.Generic;
    }

    /// <summary>Slot and displacement of an address, in the width its space uses.</summary>
    public static (int Slot, long Displacement) Address(ProgramBuilder b, PtxOperand operand, StateSpace space)
    {
        if (operand.Kind != OperandKind.Address)
            throw b.Unsupported("expected an address");
        var type = space is StateSpace.Global or StateSpace.Generic or StateSpace.Const ? U64 : U32;
        var target = operand.Base!;
        return target.Kind switch
        {
            OperandKind.Symbol => (b.Constant(0, type.LaneSize()), target.Symbol!.Value + operand.Bits),
            OperandKind.Immediate => (b.Constant((ulong)target.Bits, type.LaneSize()), operand.Bits),
            _ => (b.Source(target, type), operand.Bits),
        };
    }

    private static void Move(ProgramBuilder b, PtxInstruction i)
    {
        var (destination, source) = (i.Operands[0], i.Operands[1]);
        if (i.Type == Pred)
        {
            var predicate = b.Predicate(source);
            b.Emit(&Predicates.Logic, b.Predicate(destination), predicate, predicate, imm: 0, aux: source.Negated ? 1 : 0);
        }
        else if (destination.Kind == OperandKind.Vector)
        {
            Unpack(b, i, destination.Elements, source);
        }
        else if (source.Kind == OperandKind.Vector)
        {
            Pack(b, i, destination, source.Elements);
        }
        else if (source.Kind == OperandKind.Special && source.Name is "%clock" or "%clock64" or "%clock_hi" or "%globaltimer" or "%globaltimer_lo" or "%globaltimer_hi")
        {
            var is64 = i.Type.LaneSize() == 8;
            b.Emit(
                is64 ? &ClockOperations.Read<ulong> : &ClockOperations.Read<uint>, b.Destination(destination, i.Type),
                imm: source.Name.EndsWith("_hi", StringComparison.Ordinal) ? 32 : 0);
        }
        else if (i.Type.LaneSize() == 8)
        {
            b.EmitUnary<ulong, ulong, Move<ulong>>(b.Destination(destination, i.Type), b.Source(source, i.Type));
        }
        else
        {
            b.EmitUnary<uint, uint, Move<uint>>(b.Destination(destination, i.Type), b.Source(source, i.Type));
        }
    }

    private static void Unpack(ProgramBuilder b, PtxInstruction i, IReadOnlyList<PtxOperand> parts, PtxOperand source)
    {
        var value = b.Source(source, i.Type);
        var bits = 8 * i.Type.Size() / parts.Count;
        if (bits == 32)
        {
            EmitPart<Truncate>(b, parts[0], value);
            EmitPart<UpperWord>(b, parts[1], value);
            return;
        }

        for (var k = 0; k < parts.Count; k++)
        {
            if (parts[k].Kind == OperandKind.Sink)
                continue;
            var destination = b.Destination(parts[k], B16);
            if (bits == 16 && i.Type.LaneSize() == 4)
                b.EmitBinary<uint, BinaryOf<uint, ShiftRight>>(destination, value, b.Constant((ulong)(16 * k), 4)); // nobody looks above a half's 16 bits
            else if (i.Type.LaneSize() == 8)
                b.Emit(&PackOperations.Extract<ulong>, destination, value, imm: bits, aux: k * bits);
            else
                b.Emit(&PackOperations.Extract<uint>, destination, value, imm: bits, aux: k * bits);
        }
    }

    private static void EmitPart<TOperation>(ProgramBuilder b, PtxOperand part, int value)
        where TOperation : struct, INarrowingOperation<ulong, uint>
    {
        if (part.Kind != OperandKind.Sink)
            b.EmitNarrowing<ulong, uint, TOperation>(b.Destination(part, B32), value);
    }

    private static void Pack(ProgramBuilder b, PtxInstruction i, PtxOperand destination, IReadOnlyList<PtxOperand> parts)
    {
        var bits = 8 * i.Type.Size() / parts.Count;
        var partType = bits == 32 ? B32 : bits == 16 ? B16 : B8;
        var slots = parts.Select(part => b.Source(part, partType)).ToArray();
        if (bits == 16 && i.Type.LaneSize() == 4)
            b.EmitBinary<uint, JoinHalves>(b.Destination(destination, i.Type), slots[0], slots[1]);
        else if (i.Type.LaneSize() == 8)
            b.EmitExtra(&PackOperations.Combine<ulong>, slots, b.Destination(destination, i.Type), imm: bits, aux: slots.Length);
        else
            b.EmitExtra(&PackOperations.Combine<uint>, slots, b.Destination(destination, i.Type), imm: bits, aux: slots.Length);
    }

    private static void ConvertAddress(ProgramBuilder b, PtxInstruction i)
    {
        var type = i.Types.Count > 0 ? i.Type : U64;
        if (type.LaneSize() != 8)
            throw i.Unsupported("only 64-bit generic addresses are supported");
        var destination = b.Destination(i.Operands[0], type);
        var source = b.Source(i.Operands[1], type);
        var direction = i.Has("to") ? -1 : 1;
        switch (Space(i))
        {
            case StateSpace.Shared: b.Emit(&AddressOperations.ConvertShared, destination, source, imm: direction); break;
            case StateSpace.Local: b.Emit(&AddressOperations.ConvertLocal, destination, source, imm: direction); break;
            case StateSpace.Global or StateSpace.Const: b.EmitUnary<ulong, ulong, Move<ulong>>(destination, source); break;
            default: throw i.Unsupported();
        }
    }

    private static void TestSpace(ProgramBuilder b, PtxInstruction i)
    {
        var destination = b.Predicate(i.Operands[0]);
        var source = b.Source(i.Operands[1], U64);
        switch (Space(i))
        {
            case StateSpace.Shared: b.Emit(&AddressOperations.IsShared, destination, source); break;
            case StateSpace.Local: b.Emit(&AddressOperations.IsLocal, destination, source); break;
            case StateSpace.Global: b.Emit(&AddressOperations.IsGlobal, destination, source); break;
            default: throw i.Unsupported();
        }
    }

    private static void Access(ProgramBuilder b, PtxInstruction i)
    {
        var space = Space(i);
        if (i.Has("acquire") || i.Has("release") || i.Has("volatile") || i.Has("relaxed"))
            b.RequireAllWarps(); // these are how warps talk to each other
        if (i.Has("release"))
            b.Emit(&ControlFlow.Fence);
        switch (space)
        {
            case StateSpace.Shared: Access<SharedAddressing>(b, i, space); break;
            case StateSpace.Local: Access<LocalAddressing>(b, i, space); break;
            case StateSpace.Param: Access<ParameterAddressing>(b, i, space); break;
            default: Access<GlobalAddressing>(b, i, space); break;
        }

        if (i.Has("acquire"))
            b.After(() => b.Emit(&ControlFlow.Fence));
    }

    private static void Access<TAddressing>(ProgramBuilder b, PtxInstruction i, StateSpace space)
        where TAddressing : struct, IAddressing
    {
        var isLoad = i.Name != "st";
        var (data, address) = isLoad ? (i.Operands[0], i.Operands[1]) : (i.Operands[1], i.Operands[0]);
        IReadOnlyList<PtxOperand> elements = data.Kind == OperandKind.Vector ? data.Elements : [data];
        var (slot, displacement) = Address(b, address, space);
        var isWide = elements.Any(element => element.Register?.Type.LaneSize() == 8) && i.Type.Size() < 8 && isLoad;
        var prefetch = i.Has("L2::256B") ? 256 : i.Has("L2::128B") ? 128 : 0;
        var access = new AccessPlan(isLoad, elements, slot, displacement, prefetch);
        switch (i.Type)
        {
            case B64 or U64 or S64 or F64: access.Emit<TAddressing, ulong, ulong>(b, i.Type); break;
            case S32 when isWide: access.Emit<TAddressing, int, ulong>(b, S64); break;
            case S16 when isWide: access.Emit<TAddressing, short, ulong>(b, S64); break;
            case S8 when isWide: access.Emit<TAddressing, sbyte, ulong>(b, S64); break;
            case S16: access.Emit<TAddressing, short, uint>(b, S16); break;
            case S8: access.Emit<TAddressing, sbyte, uint>(b, S8); break;
            default: Unsigned<TAddressing>(b, i, access, isWide); break;
        }
    }

    private static void Unsigned<TAddressing>(ProgramBuilder b, PtxInstruction i, AccessPlan access, bool isWide)
        where TAddressing : struct, IAddressing
    {
        switch (i.Type.Size())
        {
            case 1 when isWide: access.Emit<TAddressing, byte, ulong>(b, U64); break;
            case 1: access.Emit<TAddressing, byte, uint>(b, B8); break;
            case 2 when isWide: access.Emit<TAddressing, ushort, ulong>(b, U64); break;
            case 2: access.Emit<TAddressing, ushort, uint>(b, B16); break;
            case 4 when isWide: access.Emit<TAddressing, uint, ulong>(b, U64); break;
            default: access.Emit<TAddressing, uint, uint>(b, B32); break;
        }
    }

    /// <summary>One load or store whose types have been settled.</summary>
    private sealed record AccessPlan(bool IsLoad, IReadOnlyList<PtxOperand> Elements, int Address, long Displacement, int Prefetch)
    {
        public void Emit<TAddressing, TElement, TRegister>(ProgramBuilder b, PtxType type)
            where TAddressing : struct, IAddressing
            where TElement : unmanaged, INumber<TElement>
            where TRegister : unmanaged, INumber<TRegister>
        {
            var slots = Elements.Select(element => IsLoad ? b.Destination(element, type) : b.Source(element, type)).ToArray();
            var size = System.Runtime.CompilerServices.Unsafe.SizeOf<TElement>();
            b.EmitCheck<TAddressing>(
                Address, Displacement, size * slots.Length, IsLoad ? AccessKind.Read : AccessKind.Write, IsLoad ? [] : slots, IsLoad ? 0 : size);
            if (slots.Length == 1)
            {
                if (IsLoad)
                    b.Emit(&Load<TAddressing, TElement, TRegister>.Run, slots[0], Address, imm: Displacement);
                else
                    b.Emit(&Store<TAddressing, TElement, TRegister>.Run, a: Address, b: slots[0], imm: Displacement);
                return;
            }

            var isWord = typeof(TElement) == typeof(uint) && typeof(TRegister) == typeof(uint);
            b.EmitExtra(
                (slots.Length, IsLoad) switch
                {
                    (4, true) when isWord => &LoadQuad<TAddressing>.Run,
                    (4, false) when isWord => &StoreQuad<TAddressing>.Run,
                    (2, true) when isWord => &LoadPair<TAddressing>.Run,
                    (2, false) when isWord => &StorePair<TAddressing>.Run,
                    (_, true) => &LoadVector<TAddressing, TElement, TRegister>.Run,
                    _ => &StoreVector<TAddressing, TElement, TRegister>.Run,
                },
                slots, a: Address, b: Prefetch, imm: Displacement, aux: slots.Length);
        }
    }
}
