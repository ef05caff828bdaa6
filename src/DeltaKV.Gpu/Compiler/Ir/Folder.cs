using System.Numerics;

namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>Algebra that holds exactly: constants, neutral elements, and shapes later passes like better.</summary>
internal static class Folder
{
    /// <summary>An existing or simpler value for the operation, or null when it has to be computed as it stands.</summary>
    public static Value? Fold(IrBuilder builder, Op op, IrType type, Value[] args, long imm)
    {
        switch (op)
        {
            case Op.Compare: return FoldCompare(builder, (Condition)imm, args[0], args[1]);
            case Op.Select: return FoldSelect(builder, type, args[0], args[1], args[2]);
            case Op.Phi or Op.Template or Op.Extract or Op.ElementAddress or Op.Load or Op.Store or Op.Atomic or Op.Shuffle: return null;
        }

        return args.Length switch
        {
            1 => FoldUnary(builder, op, type, args[0]),
            2 => FoldBinary(builder, op, type, args),
            _ => null,
        };
    }

    private static Value? FoldUnary(IrBuilder builder, Op op, IrType type, Value a)
    {
        if (a.IsConst && a.Type != IrType.Ptr && ConstantFolder.Unary(op, a.Type, type, a.Imm) is { } bits)
            return builder.Const(type, bits);
        switch (op)
        {
            case Op.Not when a.Op == Op.Compare: return builder.Compare(a.Condition.Invert(a.Args[0].Type), a.Args[0], a.Args[1]);
            case Op.Not or Op.Neg when a.Op == op: return a.Args[0];
            case Op.BitCast when a.Type == type: return a;
            case Op.BitCast when a.Op == Op.BitCast: return builder.BitCast(a.Args[0], type);
            case Op.ZeroExtend8 when KnownBits.Unsigned(a) <= 8: return a;
            case Op.ZeroExtend16 when KnownBits.Unsigned(a) <= 16: return a;
            case Op.SignExtend8 when a.Op == Op.SignExtend8 || KnownBits.Unsigned(a) <= 7: return a;
            case Op.SignExtend16 when a.Op is Op.SignExtend16 or Op.SignExtend8 || KnownBits.Unsigned(a) <= 15: return a;
            case Op.SignExtend8 when IsSmallLoad(a, Il.ScalarKind.I8): return a;
            case Op.SignExtend16 when IsSmallLoad(a, Il.ScalarKind.I16): return a;
            case Op.SignExtend8 or Op.ZeroExtend8 when a.Op is Op.SignExtend8 or Op.ZeroExtend8 or Op.SignExtend16 or Op.ZeroExtend16:
                return builder.Convert(op, type, a.Args[0]);
            case Op.SignExtend16 or Op.ZeroExtend16 when a.Op is Op.SignExtend16 or Op.ZeroExtend16:
                return builder.Convert(op, type, a.Args[0]);
            case Op.Narrow when a.Op is Op.SignExtend or Op.ZeroExtend: return a.Args[0];
            default: return null;
        }
    }

    private static bool IsSmallLoad(Value value, Il.ScalarKind kind) =>
        (value.Op == Op.Load && value.Data is MemoryAccess access && access.Kinds.Length == 1 && access.Kinds[0] == kind)
        || (value.Op == Op.Param && (Il.ScalarKind)value.Scale == kind);

    private static Value? FoldBinary(IrBuilder builder, Op op, IrType type, Value[] args)
    {
        var (a, b) = (args[0], args[1]);
        if (a.IsConst && b.IsConst && ConstantFolder.Binary(op, type, a.Imm, b.Imm) is { } bits)
            return builder.Const(type, bits);
        if (a.IsConst && Ops.IsCommutative(op))
        {
            (a, b) = (b, a);
            (args[0], args[1]) = (a, b);
        }

        if (type is IrType.F32 or IrType.F64)
            return FoldFloat(builder, op, type, a, b);
        if (type == IrType.Ptr)
            return null;
        return b.IsConst ? FoldWithConstant(builder, op, type, a, b) : FoldIntegers(builder, op, type, a, b);
    }

    private static Value? FoldFloat(IrBuilder builder, Op op, IrType type, Value a, Value b)
    {
        if (!b.IsConst)
            return null;
        var number = type == IrType.F32 ? BitConverter.Int32BitsToSingle((int)b.Imm) : BitConverter.Int64BitsToDouble(b.Imm);
        if (number == 1 && op is Op.Mul or Op.Div)
            return a;
        if (op == Op.Sub && number == 0 && !double.IsNegative(number))
            return a;
        var isPowerOfTwo = number != 0 && double.IsFinite(number) && Math.ScaleB(1, Math.ILogB(number)) == Math.Abs(number);
        if (op == Op.Div && isPowerOfTwo && Math.Abs(Math.ILogB(number)) < (type == IrType.F32 ? 126 : 1022))
        {
            var inverse = 1 / number;
            var inverseBits = type == IrType.F32 ? BitConverter.SingleToUInt32Bits((float)inverse) : BitConverter.DoubleToInt64Bits(inverse);
            return builder.Binary(Op.Mul, a, builder.Const(type, inverseBits));
        }

        return null;
    }

    private static Value? FoldIntegers(IrBuilder builder, Op op, IrType type, Value a, Value b)
    {
        if (a == b)
        {
            switch (op)
            {
                case Op.Sub or Op.Xor: return builder.Const(type, 0);
                case Op.And or Op.Or or Op.Min or Op.Max or Op.MinU or Op.MaxU: return a;
            }
        }

        if (a.IsConstant(0) && op is Op.Shl or Op.Shr or Op.ShrU)
            return a;
        if (a.IsConstant(0) && op == Op.Sub)
            return builder.Unary(Op.Neg, b);
        if (op is Op.And or Op.Or or Op.Xor && IsTruth(a) && IsTruth(b))
            return builder.ToInt(builder.Binary(op, a.Args[0], b.Args[0]));
        return null;
    }

    private static bool IsTruth(Value value) =>
        value.Op == Op.Select && value.Type == IrType.I32 && value.Args[1].IsConstant(1) && value.Args[2].IsConstant(0);

    private static Value? FoldWithConstant(IrBuilder builder, Op op, IrType type, Value a, Value b)
    {
        var c = b.Imm;
        var width = type == IrType.I64 ? 64 : 32;
        switch (op)
        {
            case Op.Add or Op.Sub or Op.Or or Op.Xor or Op.Shl or Op.Shr or Op.ShrU or Op.RotateLeft when c == 0: return a;
            case Op.Xor when type == IrType.Pred: return builder.Unary(Op.Not, a);
            case Op.Or when type == IrType.Pred: return b;
            case Op.And when type == IrType.Pred: return c == 0 ? b : a;
            case Op.Mul or Op.And or Op.MulWideS or Op.MulWideU when c == 0: return builder.Const(type, 0);
            case Op.Mul or Op.Div or Op.DivU when c == 1: return a;
            case Op.Rem or Op.RemU when c == 1: return builder.Const(type, 0);
            case Op.And when c == -1: return a;
            case Op.And when KnownBits.Unsigned(a) <= BitOperations.TrailingZeroCount(~c): return a;
            case Op.Xor when c == 1 && IsTruth(a): return builder.ToInt(builder.Unary(Op.Not, a.Args[0]));
            case Op.Xor when c == -1: return builder.Unary(Op.Not, a);
            case Op.Sub: return builder.Binary(Op.Add, a, builder.Const(type, -c));
            case Op.Add when a.Op == Op.Add && a.Args[1].IsConst:
                return builder.Binary(Op.Add, a.Args[0], builder.Const(type, a.Args[1].Imm + c));
            case Op.And when a.Op == Op.And && a.Args[1].IsConst:
                return builder.Binary(Op.And, a.Args[0], builder.Const(type, a.Args[1].Imm & c));
            case Op.Mul when c > 0 && long.IsPow2(c):
                return builder.Binary(Op.Shl, a, builder.Int(BitOperations.TrailingZeroCount(c)));
            case Op.Shl when a.Op == Op.Shl && a.Args[1].IsConst && c + a.Args[1].Imm < width && c >= 0 && a.Args[1].Imm >= 0:
                return builder.Binary(Op.Shl, a.Args[0], builder.Int((int)(c + a.Args[1].Imm)));
            case Op.Shl or Op.ShrU when (ulong)c >= (ulong)width: return builder.Const(type, 0);
            case Op.DivU or Op.Div when IsPowerOfTwo(type, c) && (op == Op.DivU || (c > 0 && KnownBits.IsNonNegative(a))):
                return builder.Binary(Op.ShrU, a, builder.Int(Log2(type, c)));
            case Op.RemU or Op.Rem when IsPowerOfTwo(type, c) && (op == Op.RemU || (c > 0 && KnownBits.IsNonNegative(a))):
                return builder.Binary(Op.And, a, builder.Const(type, c - 1));
            case Op.Shr when KnownBits.IsNonNegative(a): return builder.Binary(Op.ShrU, a, b);
            default: return null;
        }
    }

    private static bool IsPowerOfTwo(IrType type, long c) => type == IrType.I32 ? uint.IsPow2((uint)c) : ulong.IsPow2((ulong)c);

    private static int Log2(IrType type, long c) => type == IrType.I32 ? BitOperations.Log2((uint)c) : BitOperations.Log2((ulong)c);

    private static Value? FoldCompare(IrBuilder builder, Condition condition, Value a, Value b)
    {
        var type = a.Type;
        if (a.IsConst && b.IsConst && type != IrType.Ptr)
            return builder.Function.Bool(ConstantFolder.Compare(condition, type, a.Imm, b.Imm));
        if (a.IsConst)
            return builder.Compare(condition.Swap(), b, a);
        if (a.IsFloat || type == IrType.Ptr)
            return null;
        if (a == b)
            return builder.Function.Bool(ConstantFolder.Compare(condition, IrType.I32, 0, 0));
        if (!b.IsConst)
            return null;
        if (IsTruth(a) && b.Imm is 0 or 1 && condition is Condition.Equal or Condition.NotEqual)
            return (b.Imm == 1) == (condition == Condition.Equal) ? a.Args[0] : builder.Unary(Op.Not, a.Args[0]);
        if (type == IrType.Pred)
            return (b.Imm == 1) == (condition == Condition.Equal) ? a : builder.Unary(Op.Not, a);
        if (b.Imm == 0 && IsTruth(a) && condition == Condition.GreaterU)
            return a.Args[0];
        if (b.Imm == 0 && condition is Condition.GreaterU or Condition.LessEqualU)
            return builder.Compare(condition == Condition.GreaterU ? Condition.NotEqual : Condition.Equal, a, b);
        if (a.Op == Op.Add && a.Args[1].IsConst && condition is Condition.Equal or Condition.NotEqual)
            return builder.Compare(condition, a.Args[0], builder.Const(type, b.Imm - a.Args[1].Imm));
        return FoldByRange(builder, condition, a, b);
    }

    private static Value? FoldByRange(IrBuilder builder, Condition condition, Value a, Value b)
    {
        var bits = KnownBits.Unsigned(a);
        if (bits >= 62 || (a.Type == IrType.I32 && bits > 31))
            return null;
        var largest = (1L << bits) - 1;
        var limit = b.Imm;
        return condition switch
        {
            Condition.Less when limit > largest => builder.Function.Bool(true),
            Condition.Less when limit <= 0 => builder.Function.Bool(false),
            Condition.GreaterEqual when limit > largest => builder.Function.Bool(false),
            Condition.GreaterEqual when limit <= 0 => builder.Function.Bool(true),
            Condition.LessEqual when limit >= largest => builder.Function.Bool(true),
            Condition.Greater when limit >= largest => builder.Function.Bool(false),
            Condition.Greater when limit < 0 => builder.Function.Bool(true),
            _ => null,
        };
    }

    private static Value? FoldSelect(IrBuilder builder, IrType type, Value test, Value whenTrue, Value whenFalse)
    {
        if (test.IsConst)
            return test.Imm != 0 ? whenTrue : whenFalse;
        if (whenTrue == whenFalse)
            return whenTrue;
        if (test.Op == Op.Not)
            return builder.Select(test.Args[0], whenFalse, whenTrue);
        if (type == IrType.Pred && whenTrue.IsConst && whenFalse.IsConst)
            return whenTrue.Imm != 0 ? test : builder.Unary(Op.Not, test);
        if (type == IrType.I32 && whenTrue.IsConstant(0) && whenFalse.IsConstant(1))
            return builder.ToInt(builder.Unary(Op.Not, test));
        if (type == IrType.I32 && IsTruth(whenTrue) && whenFalse.IsConstant(0))
            return builder.ToInt(builder.Binary(Op.And, test, whenTrue.Args[0]));
        if (type == IrType.I32 && IsTruth(whenFalse) && whenTrue.IsConstant(1))
            return builder.ToInt(builder.Binary(Op.Or, test, whenFalse.Args[0]));
        return null;
    }
}
