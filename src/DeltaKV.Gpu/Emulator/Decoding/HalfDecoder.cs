using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Arithmetic on f16, bf16 and their packed pairs, through single precision; only fma needs more.</summary>
internal static unsafe class HalfDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Has("sat") || i.Has("relu"))
            throw i.Unsupported();
        if (i.Type is BF16 or BF16x2)
            Decode<BFloat16Format>(b, i);
        else
            Decode<Float16Format>(b, i);
    }

    public static int ToSingle(ProgramBuilder b, PtxType type, int source)
    {
        var single = b.Temporary();
        if (type == BF16)
            b.EmitUnary<uint, float, HalfToSingle<BFloat16Format>>(single, source);
        else
            b.EmitUnary<uint, float, HalfToSingle<Float16Format>>(single, source);
        return single;
    }

    private static void Decode<TFormat>(ProgramBuilder b, PtxInstruction i)
        where TFormat : struct, IHalfFormat
    {
        var (destination, a) = (b.Destination(i.Operands[0], B32), b.Source(i.Operands[1], B32));
        var isNaNKept = i.Has("NaN");
        switch (i.Name)
        {
            case "add": Pair<Add>(); break;
            case "sub": Pair<Subtract>(); break;
            case "mul": Pair<Multiply>(); break;
            case "min" when isNaNKept: Pair<Minimum>(); break;
            case "min": Pair<MinimumNumber>(); break;
            case "max" when isNaNKept: Pair<Maximum>(); break;
            case "max": Pair<MaximumNumber>(); break;
            case "neg": b.EmitUnary<uint, uint, HalfNegate>(destination, a); break;
            case "abs": b.EmitUnary<uint, uint, HalfAbsolute>(destination, a); break;
            case "ex2": b.EmitUnary<uint, uint, HalfPairUnary<TFormat, Exponential2>>(destination, a); break;
            case "tanh": b.EmitUnary<uint, uint, HalfPairUnary<TFormat, HyperbolicTangent>>(destination, a); break;
            case "fma" when typeof(TFormat) == typeof(Float16Format): b.EmitTernary<uint, PackedHalfFma>(destination, a, Source(2), Source(3)); break;
            case "fma": b.Emit(&LaneTernary<uint, uint, uint, uint, HalfFusedMultiplyAdd<TFormat>>.Run, destination, a, Source(2), Source(3)); break;
            default: throw i.Unsupported();
        }

        int Source(int operand) => b.Source(i.Operands[operand], B32);

        void Pair<TOperation>()
            where TOperation : struct, IBinaryOperation =>
            b.EmitBinary<uint, HalfPair<TFormat, TOperation>>(destination, a, Source(2));
    }
}
