namespace DeltaKV.Gpu.Emulator;

/// <summary>Arithmetic on f16, bf16 and their packed pairs, through single precision; only fma needs more.</summary>
internal static unsafe class HalfDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Has("sat") || i.Has("relu"))
            throw i.Unsupported();
        if (i.Type is PtxType.BF16 or PtxType.BF16x2)
            Decode<BFloat16Format>(b, i);
        else
            Decode<Float16Format>(b, i);
    }

    public static int ToSingle(ProgramBuilder b, PtxType type, int source)
    {
        var single = b.Temporary(4);
        if (type == PtxType.BF16)
            b.EmitUnary<uint, float, HalfToSingle<BFloat16Format>>(single, source);
        else
            b.EmitUnary<uint, float, HalfToSingle<Float16Format>>(single, source);
        return single;
    }

    private static void Decode<TFormat>(ProgramBuilder b, PtxInstruction i)
        where TFormat : struct, IHalfFormat
    {
        var nan = i.Has("NaN");
        switch (i.Name)
        {
            case "add":
                Pair<TFormat, Add<float>>(b, i);
                break;
            case "sub":
                Pair<TFormat, Subtract<float>>(b, i);
                break;
            case "mul":
                Pair<TFormat, Multiply<float>>(b, i);
                break;
            case "min" when nan:
                Pair<TFormat, MinimumOrNaN<float>>(b, i);
                break;
            case "min":
                Pair<TFormat, Minimum<float>>(b, i);
                break;
            case "max" when nan:
                Pair<TFormat, MaximumOrNaN<float>>(b, i);
                break;
            case "max":
                Pair<TFormat, Maximum<float>>(b, i);
                break;
            case "neg":
                b.EmitUnary<uint, uint, HalfNegate>(Destination(b, i), b.Source(i.Operands[1], PtxType.B32));
                break;
            case "abs":
                b.EmitUnary<uint, uint, HalfAbsolute>(Destination(b, i), b.Source(i.Operands[1], PtxType.B32));
                break;
            case "ex2":
                b.EmitUnary<uint, uint, HalfPairUnary<TFormat, Exponential2>>(Destination(b, i), b.Source(i.Operands[1], PtxType.B32));
                break;
            case "tanh":
                b.EmitUnary<uint, uint, HalfPairUnary<TFormat, HyperbolicTangent>>(Destination(b, i), b.Source(i.Operands[1], PtxType.B32));
                break;
            case "fma" when typeof(TFormat) == typeof(Float16Format):
                b.Emit(
                    &VectorTernary<uint, PackedHalfFma>.Converged, &VectorTernary<uint, PackedHalfFma>.Diverged, Destination(b, i),
                    b.Source(i.Operands[1], PtxType.B32), b.Source(i.Operands[2], PtxType.B32), b.Source(i.Operands[3], PtxType.B32));
                break;
            case "fma":
                b.Emit(
                    &LaneTernary<uint, uint, uint, uint, HalfFusedMultiplyAdd<TFormat>>.Run, Destination(b, i),
                    b.Source(i.Operands[1], PtxType.B32), b.Source(i.Operands[2], PtxType.B32), b.Source(i.Operands[3], PtxType.B32));
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Pair<TFormat, TOperation>(ProgramBuilder b, PtxInstruction i)
        where TFormat : struct, IHalfFormat
        where TOperation : struct, IBinaryOperation<float> =>
        b.EmitBinary<uint, HalfPair<TFormat, TOperation>>(
            Destination(b, i), b.Source(i.Operands[1], PtxType.B32), b.Source(i.Operands[2], PtxType.B32));

    private static int Destination(ProgramBuilder b, PtxInstruction i) => b.Destination(i.Operands[0], PtxType.B32);
}
