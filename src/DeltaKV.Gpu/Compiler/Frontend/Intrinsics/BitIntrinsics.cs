using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <c>BitOperations</c>, <c>BitConverter</c> and <c>System.Half</c>.</summary>
internal static class BitIntrinsics
{
    public static bool EmitOperations(Translator translator, CallTarget call, StackItem[] arguments)
    {
        var builder = translator.Builder;
        var a = arguments[0].Scalar;
        var width = a.Type == IrType.I64 ? 64 : 32;
        Value? result = call.Name switch
        {
            "PopCount" => builder.Convert(Op.PopCount, IrType.I32, a),
            "LeadingZeroCount" => builder.Convert(Op.LeadingZeros, IrType.I32, a),
            "TrailingZeroCount" => builder.Convert(Op.LeadingZeros, IrType.I32, builder.Unary(Op.ReverseBits, a)),
            "Log2" => builder.Binary(
                Op.Sub,
                builder.Int(width - 1),
                builder.Convert(Op.LeadingZeros, IrType.I32, builder.Binary(Op.Or, a, builder.Const(a.Type, 1)))),
            "RotateLeft" => Rotate(builder, a, arguments[1].Scalar),
            "RotateRight" => Rotate(builder, a, builder.Unary(Op.Neg, arguments[1].Scalar)),
            _ => null,
        };
        if (result is null)
            return false;
        translator.Push(result);
        return true;
    }

    private static Value Rotate(IrBuilder builder, Value value, Value count)
    {
        if (value.Type == IrType.I32)
            return builder.Binary(Op.RotateLeft, value, count);
        var back = builder.Binary(Op.And, builder.Unary(Op.Neg, count), builder.Int(63));
        return builder.Binary(Op.Or, builder.Binary(Op.Shl, value, builder.Binary(Op.And, count, builder.Int(63))), builder.Binary(Op.ShrU, value, back));
    }

    public static bool EmitConverter(Translator translator, CallTarget call, StackItem[] arguments)
    {
        switch (call.Name)
        {
            case "SingleToInt32Bits" or "SingleToUInt32Bits" or "Int32BitsToSingle" or "UInt32BitsToSingle":
            case "DoubleToInt64Bits" or "DoubleToUInt64Bits" or "Int64BitsToDouble" or "UInt64BitsToDouble":
                var to = TypeLayout.Of(call.Result).Leaves[0].Kind.Register();
                translator.Push(translator.Builder.BitCast(arguments[0].Scalar, to));
                return true;
            case "HalfToUInt16Bits":
                translator.Push(arguments[0].Leaves()[0]);
                return true;
            case "HalfToInt16Bits":
                translator.Push(translator.Builder.Normalize(arguments[0].Leaves()[0], ScalarKind.I16));
                return true;
            case "UInt16BitsToHalf" or "Int16BitsToHalf":
                var bits = translator.Builder.Normalize(arguments[0].Scalar, ScalarKind.U16);
                translator.Push(new StackItem(TypeLayout.Of(typeof(System.Half)), [bits]));
                return true;
            default:
                return false;
        }
    }

    public static bool EmitHalf(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (call.Name is not ("op_Explicit" or "op_Implicit"))
            return false;
        var (from, to) = (call.Parameters[0], call.Result);
        if (from == typeof(System.Half) && to == typeof(float))
            PtxIntrinsics.Expand(translator, call, "cvt.f32.f16 {r0}, {0};", arguments);
        else if (from == typeof(System.Half) && to == typeof(double))
            PtxIntrinsics.Expand(translator, call, "cvt.f64.f16 {r0}, {0};", arguments);
        else if (from == typeof(float) && to == typeof(System.Half))
            PtxIntrinsics.Expand(translator, call, "cvt.rn.f16.f32 {r0}, {0};", arguments);
        else if (from == typeof(double) && to == typeof(System.Half))
            PtxIntrinsics.Expand(translator, call, "cvt.rn.f16.f64 {r0}, {0};", arguments);
        else
            return false;
        return true;
    }
}
