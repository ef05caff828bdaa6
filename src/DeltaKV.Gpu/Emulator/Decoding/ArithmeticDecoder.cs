using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Integer and floating arithmetic. Approximate and flush-to-zero forms are computed accurately and keep denormals.</summary>
internal static unsafe class ArithmeticDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Type is F16 or F16x2 or BF16 or BF16x2)
        {
            HalfDecoder.Decode(b, i);
            return;
        }

        var isFloat = i.Type.IsFloat();
        var isSaturated = i.Has("sat");
        if (isFloat && (i.Has("rz") || i.Has("rm") || i.Has("rp")))
            throw i.Unsupported("only round-to-nearest arithmetic is supported");
        switch (i.Name)
        {
            case "add" when isSaturated && i.Type == S32: b.Lane<int, int, int, AddSaturate>(i); break;
            case "sub" when isSaturated && i.Type == S32: b.Lane<int, int, int, SubtractSaturate>(i); break;
            case "add": b.Binary<Add>(i); break;
            case "sub": b.Binary<Subtract>(i); break;
            case "mul" when i.Has("wide"): MultiplyWide(b, i, null); break;
            case "mul" when i.Has("hi"): b.Integer<MultiplyHigh>(i); break;
            case "mul": b.Binary<Multiply>(i); break;
            case "mad" when i.Has("wide"): MultiplyWide(b, i, i.Operands[3]); break;
            case "mad" or "fma" when !i.Has("hi"): b.Ternary<MultiplyAdd>(i); break;
            case "div" when isFloat: b.Binary<Divide>(i); break;
            case "div": b.Integer<IntegerDivide>(i); break;
            case "rem": b.Integer<IntegerRemainder>(i); break;
            case "min" when isFloat && !i.Has("NaN"): b.Binary<MinimumNumber>(i); break;
            case "max" when isFloat && !i.Has("NaN"): b.Binary<MaximumNumber>(i); break;
            case "min": b.Binary<Minimum>(i); break;
            case "max": b.Binary<Maximum>(i); break;
            case "abs": b.Unary<Absolute>(i); break;
            case "neg": b.Unary<Negate>(i); break;
            case "sqrt" when isFloat: b.Unary<SquareRoot>(i); break;
            case "rcp" when isFloat: b.Unary<Reciprocal>(i); break;
            case "rsqrt" when isFloat: b.Unary<ReciprocalSquareRoot>(i); break;
            case "ex2" when i.Type == F32: b.Unary<float, Exponential2>(i); break;
            case "lg2" when i.Type == F32: b.Unary<float, Logarithm2>(i); break;
            case "sin" when i.Type == F32: b.Unary<float, Sine>(i); break;
            case "cos" when i.Type == F32: b.Unary<float, Cosine>(i); break;
            case "tanh" when i.Type == F32: b.Unary<float, HyperbolicTangent>(i); break;
            default: throw i.Unsupported();
        }

        if (isSaturated && i.Type == F32)
        {
            var result = b.Destination(i.Operands[0], F32);
            b.EmitUnary<float, float, Saturate>(result, result);
        }
    }

    private static void MultiplyWide(ProgramBuilder b, PtxInstruction i, PtxOperand? addend)
    {
        switch (i.Type)
        {
            case S32: MultiplyWide<int, long, SignExtend32>(b, i, addend, S64); break;
            case U32: MultiplyWide<uint, ulong, ZeroExtend32>(b, i, addend, U64); break;
            case S16 or U16 when addend is null:
                b.EmitBinary<uint, BinaryOf<uint, Multiply>>(
                    b.Destination(i.Operands[0], U32), b.ExtendedSource(i.Operands[1], i.Type), b.ExtendedSource(i.Operands[2], i.Type));
                break;
            default: throw i.Unsupported();
        }
    }

    private static void MultiplyWide<T, TWide, TExtension>(ProgramBuilder b, PtxInstruction i, PtxOperand? addend, PtxType wide)
        where T : unmanaged
        where TWide : unmanaged
        where TExtension : struct, IWideningOperation<T, TWide> =>
        b.Emit(
            &WideMultiplyAdd<T, TWide, TExtension>.Run<AllLanes>, &WideMultiplyAdd<T, TWide, TExtension>.Run<ActiveLanes>,
            b.Destination(i.Operands[0], wide), b.Source(i.Operands[1], i.Type), b.Source(i.Operands[2], i.Type),
            addend is null ? b.Constant(0, 8) : b.Source(addend, wide));
}
