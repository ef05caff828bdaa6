using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <see cref="Warp"/>: wide values are shuffled 32 bits at a time.</summary>
internal static class WarpIntrinsics
{
    public static StackItem? Emit(Translator translator, CallTarget call, StackItem[] arguments) => call.Name switch
    {
        "get_LaneIdx" => ThreadIntrinsics.Read(translator.Builder, SpecialRegister.Lane),
        "Barrier" => Barrier(translator),
        "Shuffle" => Shuffle(translator, arguments, "idx"),
        "ShuffleDown" => Shuffle(translator, arguments, "down"),
        "ShuffleUp" => Shuffle(translator, arguments, "up"),
        "ShuffleXor" => Shuffle(translator, arguments, "bfly"),
        _ => StackItem.NotMine,
    };

    private static StackItem Barrier(Translator translator)
    {
        translator.Builder.Append(Op.WarpBarrier, IrType.None, []);
        return StackItem.Nothing;
    }

    private static StackItem Shuffle(Translator translator, StackItem[] arguments, string mode)
    {
        var builder = translator.Builder;
        var lane = arguments[1].Scalar;
        var width = arguments.Length == 3 ? arguments[2].Scalar : builder.Int(32);
        var segment = builder.Binary(Op.Shl, builder.Binary(Op.Sub, builder.Int(32), width), builder.Int(8));
        var clamp = mode == "up" ? segment : builder.Binary(Op.Or, segment, builder.Int(31));
        var leaves = Array.ConvertAll(arguments[0].Leaves(), leaf => One(leaf));
        return arguments[0].Layout is { } layout ? new StackItem(layout, leaves) : leaves[0];

        Value One(Value value)
        {
            switch (value.Type)
            {
                case not IrType.Ptr when value.IsConst:
                    return value;
                case IrType.I32 or IrType.F32:
                    return builder.Append(Op.Shuffle, value.Type, [value, lane, clamp], data: mode);
                case IrType.F64:
                    return builder.BitCast(One(builder.BitCast(value, IrType.I64)), IrType.F64);
                case IrType.I64:
                    var low = One(builder.Convert(Op.Narrow, IrType.I32, value));
                    var high = One(builder.Convert(Op.Narrow, IrType.I32, builder.Binary(Op.ShrU, value, builder.Int(32))));
                    return builder.Binary(
                        Op.Or,
                        builder.Convert(Op.ZeroExtend, IrType.I64, low),
                        builder.Binary(Op.Shl, builder.Convert(Op.ZeroExtend, IrType.I64, high), builder.Int(32)));
                default:
                    throw new NotSupportedException("A view cannot be shuffled; shuffle the index instead.");
            }
        }
    }
}
