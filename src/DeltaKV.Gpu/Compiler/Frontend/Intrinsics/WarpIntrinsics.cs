using DeltaKV.Gpu.Compiler.Ir;

namespace DeltaKV.Gpu.Compiler.Frontend.Intrinsics;

/// <summary>Members of <see cref="Warp"/>: wide values are shuffled 32 bits at a time.</summary>
internal static class WarpIntrinsics
{
    public static bool Emit(Translator translator, CallTarget call, StackItem[] arguments)
    {
        switch (call.Name)
        {
            case "get_LaneIdx":
                translator.Push(ThreadIntrinsics.Read(translator.Builder, SpecialRegister.Lane));
                return true;
            case "Barrier":
                translator.Builder.Append(Op.WarpBarrier, IrType.None, []);
                return true;
            case "Shuffle": return Shuffle(translator, arguments, "idx");
            case "ShuffleDown": return Shuffle(translator, arguments, "down");
            case "ShuffleUp": return Shuffle(translator, arguments, "up");
            case "ShuffleXor": return Shuffle(translator, arguments, "bfly");
            default: return false;
        }
    }

    private static bool Shuffle(Translator translator, StackItem[] arguments, string mode)
    {
        var builder = translator.Builder;
        var lane = arguments[1].Scalar;
        var width = arguments.Length == 3 ? arguments[2].Scalar : builder.Int(32);
        var segment = builder.Binary(Op.Shl, builder.Binary(Op.Sub, builder.Int(32), width), builder.Int(8));
        var clamp = mode == "up" ? segment : builder.Binary(Op.Or, segment, builder.Int(31));
        var leaves = Array.ConvertAll(arguments[0].Leaves(), leaf => One(leaf));
        translator.Push(arguments[0].Layout is { } layout ? new StackItem(layout, leaves) : leaves[0]);
        return true;

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
