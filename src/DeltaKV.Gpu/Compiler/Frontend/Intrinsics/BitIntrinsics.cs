using DeltaKV.Gpu.Compiler.Il;
using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <c>BitOperations</c>, <c>BitConverter</c> and <c>System.Half</c>.</summary>
internal static class BitIntrinsics
{
    public static StackItem? EmitOperations(Translator translator, CallTarget call, StackItem[] arguments)
    {
        var builder = translator.Builder;
        var a = arguments[0].Scalar;
        var width = a.Type == IrType.I64 ? 64 : 32;
        return call.Name switch
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
            _ => StackItem.NotMine,
        };
    }

    private static Value Rotate(IrBuilder builder, Value value, Value count)
    {
        if (value.Type == IrType.I32)
            return builder.Binary(Op.RotateLeft, value, count);
        var back = builder.Binary(Op.And, builder.Unary(Op.Neg, count), builder.Int(63));
        return builder.Binary(Op.Or, builder.Binary(Op.Shl, value, builder.Binary(Op.And, count, builder.Int(63))), builder.Binary(Op.ShrU, value, back));
    }

    public static StackItem? EmitConverter(Translator translator, CallTarget call, StackItem[] arguments)
    {
        var builder = translator.Builder;
        return call.Name switch
        {
            "SingleToInt32Bits" or "SingleToUInt32Bits" or "Int32BitsToSingle" or "UInt32BitsToSingle"
                or "DoubleToInt64Bits" or "DoubleToUInt64Bits" or "Int64BitsToDouble" or "UInt64BitsToDouble" =>
                builder.BitCast(arguments[0].Scalar, TypeLayout.Of(call.Result).Leaves[0].Kind.Register()),
            "HalfToUInt16Bits" => arguments[0].Leaves()[0],
            "HalfToInt16Bits" => builder.Normalize(arguments[0].Leaves()[0], ScalarKind.I16),
            "UInt16BitsToHalf" or "Int16BitsToHalf" =>
                new StackItem(TypeLayout.Of(typeof(System.Half)), [builder.Normalize(arguments[0].Scalar, ScalarKind.U16)]),
            _ => StackItem.NotMine,
        };
    }

    public static StackItem? EmitHalf(Translator translator, CallTarget call, StackItem[] arguments)
    {
        if (call.Name is not ("op_Explicit" or "op_Implicit"))
            return StackItem.NotMine;
        var (from, to) = (call.Parameters[0], call.Result);
        var template = from == typeof(System.Half) && to == typeof(float) ? "cvt.f32.f16 {r0}, {0};"
            : from == typeof(System.Half) && to == typeof(double) ? "cvt.f64.f16 {r0}, {0};"
            : from == typeof(float) && to == typeof(System.Half) ? "cvt.rn.f16.f32 {r0}, {0};"
            : from == typeof(double) && to == typeof(System.Half) ? "cvt.rn.f16.f64 {r0}, {0};"
            : null;
        return template is null ? StackItem.NotMine : PtxIntrinsics.Expand(translator, call, template, arguments);
    }
}
