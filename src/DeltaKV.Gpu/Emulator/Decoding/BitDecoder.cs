namespace DeltaKV.Gpu.Emulator;

/// <summary>Logic, shifts and bit fields.</summary>
internal static unsafe class BitDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "and" or "or" or "xor" or "not" when i.Type == PtxType.Pred:
                PredicateLogic(b, i);
                break;
            case "and" or "or" or "xor":
                Logic(b, i);
                break;
            case "not" when i.Type.LaneSize() == 8:
                b.Unary<ulong, Complement<ulong>>(i);
                break;
            case "not":
                b.Unary<uint, Complement<uint>>(i);
                break;
            case "cnot" when i.Type.LaneSize() == 8:
                b.Unary<ulong, LogicalNot<ulong>>(i);
                break;
            case "cnot":
                b.Unary<uint, LogicalNot<uint>>(i);
                break;
            case "shl" or "shr":
                Shift(b, i);
                break;
            case "shf":
                Funnel(b, i);
                break;
            case "bfe":
                Extract(b, i);
                break;
            case "bfi":
                Insert(b, i);
                break;
            case "lop3":
                b.Emit(
                    &FourOperandBits.Logic3, b.Destination(i.Operands[0], PtxType.B32), b.Source(i.Operands[1], PtxType.B32),
                    b.Source(i.Operands[2], PtxType.B32), b.Source(i.Operands[3], PtxType.B32), i.Operands[4].Bits);
                break;
            case "prmt":
                PermuteBytes(b, i);
                break;
            default:
                Count(b, i);
                break;
        }
    }

    private static void PredicateLogic(ProgramBuilder b, PtxInstruction i)
    {
        var combination = i.Name switch
        {
            "and" => PredicateCombination.And,
            "or" => PredicateCombination.Or,
            "xor" => PredicateCombination.Xor,
            _ => PredicateCombination.None,
        };
        var first = i.Operands[1];
        var second = combination == PredicateCombination.None ? first : i.Operands[2];
        var invertFirst = first.Negated ^ i.Name == "not";
        b.Emit(
            &Predicates.Logic, b.Predicate(i.Operands[0]), b.Predicate(first), b.Predicate(second),
            imm: (long)combination, aux: (invertFirst ? 1 : 0) | (second.Negated ? 2 : 0));
    }

    private static void Logic(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name, i.Type.LaneSize())
        {
            case ("and", 8):
                b.Binary<ulong, And<ulong>>(i);
                break;
            case ("and", _):
                b.Binary<uint, And<uint>>(i);
                break;
            case ("or", 8):
                b.Binary<ulong, Or<ulong>>(i);
                break;
            case ("or", _):
                b.Binary<uint, Or<uint>>(i);
                break;
            case (_, 8):
                b.Binary<ulong, Xor<ulong>>(i);
                break;
            default:
                b.Binary<uint, Xor<uint>>(i);
                break;
        }
    }

    private static void Shift(ProgramBuilder b, PtxInstruction i)
    {
        var destination = b.Destination(i.Operands[0], i.Type);
        var value = b.ExtendedSource(i.Operands[1], i.Type);
        if (i.Type.LaneSize() == 8)
        {
            var count = i.Operands[2].Kind == OperandKind.Immediate
                ? b.Constant((uint)i.Operands[2].Bits, 8)
                : b.Source(i.Operands[2], PtxType.U64);
            if (i.Name == "shl")
                b.EmitBinary<ulong, ShiftLeft64>(destination, value, count);
            else if (i.Type.IsSigned())
                b.EmitBinary<ulong, ShiftRightArithmetic64>(destination, value, count);
            else
                b.EmitBinary<ulong, ShiftRight64>(destination, value, count);
            return;
        }

        var amount = b.Source(i.Operands[2], PtxType.U32);
        if (i.Name == "shl")
            b.EmitBinary<uint, ShiftLeft32>(destination, value, amount);
        else if (i.Type.IsSigned())
            b.EmitBinary<uint, ShiftRightArithmetic32>(destination, value, amount);
        else
            b.EmitBinary<uint, ShiftRight32>(destination, value, amount);
    }

    private static void Funnel(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Modifier(0), i.Modifier(1))
        {
            case ("l", "wrap"):
                b.Lane<uint, uint, uint, uint, FunnelLeftWrap>(i, PtxType.B32, PtxType.B32, PtxType.B32, PtxType.U32);
                break;
            case ("l", "clamp"):
                b.Lane<uint, uint, uint, uint, FunnelLeftClamp>(i, PtxType.B32, PtxType.B32, PtxType.B32, PtxType.U32);
                break;
            case ("r", "wrap"):
                b.Lane<uint, uint, uint, uint, FunnelRightWrap>(i, PtxType.B32, PtxType.B32, PtxType.B32, PtxType.U32);
                break;
            case ("r", "clamp"):
                b.Lane<uint, uint, uint, uint, FunnelRightClamp>(i, PtxType.B32, PtxType.B32, PtxType.B32, PtxType.U32);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Extract(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Type.Size() == 4 && b.TryConstant(i.Operands[2], out var position) && b.TryConstant(i.Operands[3], out var length)
            && position >= 0 && length > 0 && position + length <= 32)
        {
            ExtractByShifts(b, i, (ulong)position, (ulong)length);
            return;
        }

        switch (i.Type)
        {
            case PtxType.U32:
                b.Lane<uint, uint, uint, uint, ExtractU32>(i, i.Type, i.Type, PtxType.U32, PtxType.U32);
                break;
            case PtxType.S32:
                b.Lane<int, uint, uint, int, ExtractS32>(i, i.Type, i.Type, PtxType.U32, PtxType.U32);
                break;
            case PtxType.U64:
                b.Lane<ulong, uint, uint, ulong, ExtractU64>(i, i.Type, i.Type, PtxType.U32, PtxType.U32);
                break;
            case PtxType.S64:
                b.Lane<long, uint, uint, long, ExtractS64>(i, i.Type, i.Type, PtxType.U32, PtxType.U32);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void ExtractByShifts(ProgramBuilder b, PtxInstruction i, ulong position, ulong length)
    {
        var destination = b.Destination(i.Operands[0], i.Type);
        var shifted = b.Temporary(4);
        b.EmitBinary<uint, ShiftLeft32>(shifted, b.Source(i.Operands[1], i.Type), b.Constant(32 - position - length, 4));
        if (i.Type == PtxType.S32)
            b.EmitBinary<uint, ShiftRightArithmetic32>(destination, shifted, b.Constant(32 - length, 4));
        else
            b.EmitBinary<uint, ShiftRight32>(destination, shifted, b.Constant(32 - length, 4));
    }

    private static void Insert(ProgramBuilder b, PtxInstruction i)
    {
        var slots = (b.Destination(i.Operands[0], i.Type), b.Source(i.Operands[1], i.Type), b.Source(i.Operands[2], i.Type),
            b.Source(i.Operands[3], PtxType.U32));
        int[] length = [b.Source(i.Operands[4], PtxType.U32)];
        if (i.Type.LaneSize() == 8)
            b.EmitExtra(&FourOperandBits.Insert64, length, slots.Item1, slots.Item2, slots.Item3, slots.Item4);
        else
            b.EmitExtra(&FourOperandBits.Insert32, length, slots.Item1, slots.Item2, slots.Item3, slots.Item4);
    }

    private static void PermuteBytes(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Modifier(1).Length > 0)
            throw i.Unsupported("only the default mode of prmt is supported");
        if (!b.TryConstant(i.Operands[3], out var selector) || (selector & 0x8888) != 0)
        {
            b.Lane<uint, uint, uint, uint, Permute>(i, PtxType.B32, PtxType.B32, PtxType.B32, PtxType.B32);
            return;
        }

        long imm = 0;
        for (var k = 0; k < 4; k++)
        {
            var index = (selector >> (4 * k)) & 7;
            imm |= (index < 4 ? index : 0x80) << (8 * k);
            imm |= (index < 4 ? 0x80 : index - 4) << (32 + (8 * k));
        }

        b.Emit(
            &FourOperandBits.PermuteConstant, b.Destination(i.Operands[0], PtxType.B32), b.Source(i.Operands[1], PtxType.B32),
            b.Source(i.Operands[2], PtxType.B32), imm: imm);
    }

    private static void Count(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name, i.Type)
        {
            case ("popc", PtxType.B32):
                b.Lane<uint, uint, PopCount32>(i, PtxType.U32, i.Type);
                break;
            case ("popc", PtxType.B64):
                b.Lane<ulong, uint, PopCount64>(i, PtxType.U32, i.Type);
                break;
            case ("clz", PtxType.B32):
                b.Lane<uint, uint, LeadingZeros32>(i, PtxType.U32, i.Type);
                break;
            case ("clz", PtxType.B64):
                b.Lane<ulong, uint, LeadingZeros64>(i, PtxType.U32, i.Type);
                break;
            case ("brev", PtxType.B32):
                b.Lane<uint, uint, Reverse32>(i, i.Type, i.Type);
                break;
            case ("brev", PtxType.B64):
                b.Lane<ulong, ulong, Reverse64>(i, i.Type, i.Type);
                break;
            case ("bfind", PtxType.U32) when !i.Has("shiftamt"):
                b.Lane<uint, uint, FindU32>(i, PtxType.U32, i.Type);
                break;
            case ("bfind", PtxType.S32) when !i.Has("shiftamt"):
                b.Lane<int, uint, FindS32>(i, PtxType.U32, i.Type);
                break;
            case ("bfind", PtxType.U64) when !i.Has("shiftamt"):
                b.Lane<ulong, uint, FindU64>(i, PtxType.U32, i.Type);
                break;
            case ("bfind", PtxType.S64) when !i.Has("shiftamt"):
                b.Lane<long, uint, FindS64>(i, PtxType.U32, i.Type);
                break;
            case ("szext", PtxType.S32) when i.Has("clamp"):
                b.Lane<int, uint, int, Szext>(i, i.Type, i.Type, PtxType.U32);
                break;
            case ("szext", PtxType.U32) when i.Has("clamp"):
                b.Lane<uint, uint, uint, SzextUnsigned>(i, i.Type, i.Type, PtxType.U32);
                break;
            case ("dp4a", PtxType.S32) when i.Types[1] == PtxType.S32:
                b.Lane<uint, uint, int, int, DotS8S8>(i, PtxType.S32, PtxType.B32, PtxType.B32, PtxType.S32);
                break;
            case ("dp4a", PtxType.S32):
                b.Lane<uint, uint, int, int, DotS8U8>(i, PtxType.S32, PtxType.B32, PtxType.B32, PtxType.S32);
                break;
            case ("dp4a", PtxType.U32) when i.Types[1] == PtxType.S32:
                b.Lane<uint, uint, int, int, DotU8S8>(i, PtxType.S32, PtxType.B32, PtxType.B32, PtxType.S32);
                break;
            case ("dp4a", PtxType.U32):
                b.Lane<uint, uint, int, int, DotU8U8>(i, PtxType.S32, PtxType.B32, PtxType.B32, PtxType.S32);
                break;
            default:
                throw i.Unsupported();
        }
    }
}
