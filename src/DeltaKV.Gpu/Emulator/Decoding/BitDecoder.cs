using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Logic, shifts and bit fields.</summary>
internal static unsafe class BitDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name, i.Type)
        {
            case ("and" or "or" or "xor" or "not", Pred): PredicateLogic(b, i); break;
            case ("and", _): b.Binary<And>(i); break;
            case ("or", _): b.Binary<Or>(i); break;
            case ("xor", _): b.Binary<Xor>(i); break;
            case ("not", _): b.Unary<Complement>(i); break;
            case ("cnot", _): b.Unary<LogicalNot>(i); break;
            case ("shl", _): Shift<ShiftLeft>(b, i); break;
            case ("shr", S16 or S32 or S64): Shift<ShiftRightArithmetic>(b, i); break;
            case ("shr", _): Shift<ShiftRight>(b, i); break;
            case ("shf", _): Funnel(b, i); break;
            case ("bfe", S32 or U32) when TryExtractByShifts(b, i): break;
            case ("bfe", U32): b.Lane<uint, uint, uint, uint, ExtractU32>(i); break;
            case ("bfe", S32): b.Lane<int, uint, uint, int, ExtractS32>(i); break;
            case ("bfe", U64): b.Lane<ulong, uint, uint, ulong, ExtractU64>(i); break;
            case ("bfe", S64): b.Lane<long, uint, uint, long, ExtractS64>(i); break;
            case ("bfi", B32): Insert(b, i, &FourOperandBits.Insert<uint>); break;
            case ("bfi", B64): Insert(b, i, &FourOperandBits.Insert<ulong>); break;
            case ("lop3", _):
                b.Emit(
                    &FourOperandBits.Logic3, b.Destination(i.Operands[0], B32), b.Source(i.Operands[1], B32),
                    b.Source(i.Operands[2], B32), b.Source(i.Operands[3], B32), i.Operands[4].Bits);
                break;
            case ("prmt", _): PermuteBytes(b, i); break;
            case ("popc", B32 or B64): b.Count<PopCount>(i); break;
            case ("clz", B32 or B64): b.Count<LeadingZeros>(i); break;
            case ("bfind", _) when !i.Has("shiftamt"): b.Count<HighestBit>(i); break;
            case ("brev", B32): b.Lane<uint, uint, Reverse32>(i); break;
            case ("brev", B64): b.Lane<ulong, ulong, Reverse64>(i); break;
            case ("szext", S32) when i.Has("clamp"): b.Lane<int, uint, int, Szext>(i); break;
            case ("szext", U32) when i.Has("clamp"): b.Lane<uint, uint, uint, SzextUnsigned>(i); break;
            case ("dp4a", S32) when i.Types[1] == S32: b.Lane<uint, uint, int, int, DotBytes<sbyte, sbyte>>(i); break;
            case ("dp4a", S32): b.Lane<uint, uint, int, int, DotBytes<sbyte, byte>>(i); break;
            case ("dp4a", U32) when i.Types[1] == S32: b.Lane<uint, uint, int, int, DotBytes<byte, sbyte>>(i); break;
            case ("dp4a", U32): b.Lane<uint, uint, int, int, DotBytes<byte, byte>>(i); break;
            default: throw i.Unsupported();
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

    private static void Shift<TShift>(ProgramBuilder b, PtxInstruction i)
        where TShift : struct, IBinaryOperation
    {
        var destination = b.Destination(i.Operands[0], i.Type);
        var value = b.ExtendedSource(i.Operands[1], i.Type);
        var count = i.Operands[2];
        if (i.Type.LaneSize() == 4)
            b.EmitBinary<uint, BinaryOf<uint, TShift>>(destination, value, b.Source(count, U32));
        else if (count.Kind == OperandKind.Immediate)
            b.EmitBinary<ulong, BinaryOf<ulong, TShift>>(destination, value, b.Constant((uint)count.Bits, 8));
        else
            b.EmitBinary<ulong, BinaryOf<ulong, TShift>>(destination, value, b.Source(count, U64));
    }

    private static void Funnel(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Modifier(0), i.Modifier(1))
        {
            case ("l", "wrap"): b.Lane<uint, uint, uint, uint, FunnelLeftWrap>(i); break;
            case ("l", "clamp"): b.Lane<uint, uint, uint, uint, FunnelLeftClamp>(i); break;
            case ("r", "wrap"): b.Lane<uint, uint, uint, uint, FunnelRightWrap>(i); break;
            case ("r", "clamp"): b.Lane<uint, uint, uint, uint, FunnelRightClamp>(i); break;
            default: throw i.Unsupported();
        }
    }

    private static bool TryExtractByShifts(ProgramBuilder b, PtxInstruction i)
    {
        if (!b.TryConstant(i.Operands[2], out var position) || !b.TryConstant(i.Operands[3], out var length)
            || position < 0 || length <= 0 || position + length > 32)
        {
            return false;
        }

        var destination = b.Destination(i.Operands[0], i.Type);
        var shifted = b.Temporary();
        var back = b.Constant((ulong)(32 - length), 4);
        b.EmitBinary<uint, BinaryOf<uint, ShiftLeft>>(shifted, b.Source(i.Operands[1], i.Type), b.Constant((ulong)(32 - position - length), 4));
        if (i.Type == S32)
            b.EmitBinary<uint, BinaryOf<uint, ShiftRightArithmetic>>(destination, shifted, back);
        else
            b.EmitBinary<uint, BinaryOf<uint, ShiftRight>>(destination, shifted, back);
        return true;
    }

    private static void Insert(ProgramBuilder b, PtxInstruction i, delegate*<Warp*, Op*, Op*> handler)
    {
        int[] length = [b.Source(i.Operands[4], U32)];
        b.EmitExtra(
            handler, length, b.Destination(i.Operands[0], i.Type),
            b.Source(i.Operands[1], i.Type), b.Source(i.Operands[2], i.Type), b.Source(i.Operands[3], U32));
    }

    private static void PermuteBytes(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Modifier(1).Length > 0)
            throw i.Unsupported("only the default mode of prmt is supported");
        if (!b.TryConstant(i.Operands[3], out var selector) || (selector & 0x8888) != 0)
        {
            b.Lane<uint, uint, uint, uint, Permute>(i);
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
            &FourOperandBits.PermuteConstant, b.Destination(i.Operands[0], B32), b.Source(i.Operands[1], B32),
            b.Source(i.Operands[2], B32), imm: imm);
    }
}
