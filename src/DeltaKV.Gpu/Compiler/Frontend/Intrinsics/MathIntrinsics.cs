using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;
using DeltaKV.Gpu.Compiler.Library;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <c>Math</c> and <c>MathF</c>: instructions where PTX has them, <see cref="SingleMath"/> and <see cref="DoubleMath"/> otherwise.</summary>
internal static class MathIntrinsics
{
    public static StackItem? Emit(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (call.Parameters.Length == 0 || !TypeLayout.Of(call.Parameters[0]).IsScalar)
            return StackItem.NotMine;
        var kind = TypeLayout.Of(call.Parameters[0]).Leaves[0].Kind;
        var a = arguments[0].Scalar;
        var b = arguments.Length > 1 && arguments[1].IsScalar ? arguments[1].Scalar : a;
        var result = a.IsFloat ? Float(translator.Builder, call, arguments, a, b) : Integer(translator.Builder, call, arguments, kind, a, b);
        if (result is not null)
            return result;
        if (a.Type == IrType.F32 && SingleMath.Find(call.Name, arguments.Length) is { } own)
            return translator.CallLibrary(own, arguments);
        if (!a.IsFloat || DoubleMath.Find(call.Name, arguments.Length) is not { } library)
            return StackItem.NotMine;
        if (a.Type == IrType.F64)
            return translator.CallLibrary(library, arguments);
        var wide = Array.ConvertAll<StackItem, StackItem>(arguments, argument => translator.Builder.Convert(Op.FloatToFloat, IrType.F64, argument.Scalar));
        return translator.Builder.Convert(Op.FloatToFloat, IrType.F32, translator.CallLibrary(library, wide).Scalar);
    }

    private static Value? Integer(IrBuilder builder, CallTarget call, StackItem[] arguments, ScalarKind kind, Value a, Value b)
    {
        var isUnsigned = kind is ScalarKind.U32 or ScalarKind.U64;
        var (min, max) = isUnsigned ? (Op.MinU, Op.MaxU) : (Op.Min, Op.Max);
        switch (call.Name)
        {
            case "Abs": return builder.Normalize(builder.Unary(Op.Abs, a), kind);
            case "Min": return builder.Binary(min, a, b);
            case "Max": return builder.Binary(max, a, b);
            case "Clamp": return builder.Binary(min, builder.Binary(max, a, b), arguments[2].Scalar);
            case "Sign":
                var negative = builder.Compare(Condition.Less, a, builder.Const(a.Type, 0));
                return builder.Select(negative, builder.Int(-1), builder.ToInt(builder.ToTest(a)));
            case "BigMul" when arguments.Length == 2 && a.Type == IrType.I32:
                return builder.Create(isUnsigned ? Op.MulWideU : Op.MulWideS, IrType.I64, [a, b]);
            default: return null;
        }
    }

    private static Value? Float(IrBuilder builder, CallTarget call, StackItem[] arguments, Value a, Value b)
    {
        switch (call.Name)
        {
            case "Abs": return builder.Unary(Op.Abs, a);
            case "Sqrt": return builder.Unary(Op.Sqrt, a);
            case "Floor": return builder.Unary(Op.Floor, a);
            case "Ceiling": return builder.Unary(Op.Ceiling, a);
            case "Truncate": return builder.Unary(Op.Truncate, a);
            case "Round" when arguments.Length == 1 || (arguments.Length == 2 && call.Parameters[1] == typeof(MidpointRounding) && b.IsConstant(0)):
                return builder.Unary(Op.RoundEven, a);
            case "CopySign": return CopySign(builder, a, b);
            case "FusedMultiplyAdd": return builder.Create(Op.Fma, a.Type, [a, b, arguments[2].Scalar]);
            case "Min" or "Max": return a.Type == IrType.F32 ? builder.Binary(call.Name == "Min" ? Op.Min : Op.Max, a, b) : Extreme(builder, call.Name == "Min", a, b);
            case "Clamp":
                var high = builder.Select(builder.Compare(Condition.Greater, a, arguments[2].Scalar), arguments[2].Scalar, a);
                return builder.Select(builder.Compare(Condition.Less, a, b), b, high);
            case "Sign":
                var zero = builder.Const(a.Type, 0);
                var positive = builder.ToInt(builder.Compare(Condition.Greater, a, zero));
                return builder.Select(builder.Compare(Condition.Less, a, zero), builder.Int(-1), positive);
            default: return null;
        }
    }

    private static Value CopySign(IrBuilder builder, Value magnitude, Value sign)
    {
        var (type, mask) = magnitude.Type == IrType.F32 ? (IrType.I32, (long)int.MinValue) : (IrType.I64, long.MinValue);
        var bits = builder.Binary(Op.And, builder.BitCast(magnitude, type), builder.Const(type, ~mask));
        var top = builder.Binary(Op.And, builder.BitCast(sign, type), builder.Const(type, mask));
        return builder.BitCast(builder.Binary(Op.Or, bits, top), magnitude.Type);
    }

    /// <summary>PTX has no double min or max that keeps NaN and orders the zeros.</summary>
    private static Value Extreme(IrBuilder builder, bool isMin, Value a, Value b)
    {
        var first = isMin ? Condition.Less : Condition.Greater;
        var bits = builder.Binary(isMin ? Op.Or : Op.And, builder.BitCast(a, IrType.I64), builder.BitCast(b, IrType.I64));
        var equal = builder.Select(builder.Compare(Condition.Equal, a, b), builder.BitCast(bits, IrType.F64), builder.Binary(Op.Add, a, b));
        var second = builder.Select(builder.Compare(first, b, a), b, equal);
        return builder.Select(builder.Compare(first, a, b), a, second);
    }
}
