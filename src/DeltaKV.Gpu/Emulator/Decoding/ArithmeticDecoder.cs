namespace DeltaKV.Gpu.Emulator;

/// <summary>Integer and floating arithmetic. Approximate and flush-to-zero forms are computed accurately and keep denormals.</summary>
internal static class ArithmeticDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Type is PtxType.F16 or PtxType.F16x2 or PtxType.BF16 or PtxType.BF16x2)
        {
            HalfDecoder.Decode(b, i);
            return;
        }

        if (i.Type.IsFloat() && (i.Has("rz") || i.Has("rm") || i.Has("rp")))
            throw i.Unsupported("only round-to-nearest arithmetic is supported");
        if (i.Type == PtxType.F32 && i.Has("sat"))
            SaturateAfter(b, i);
        switch (i.Name)
        {
            case "add":
                Add(b, i);
                break;
            case "sub":
                Subtract(b, i);
                break;
            case "mul" or "mul24":
                Multiply(b, i);
                break;
            case "mad" or "fma":
                MultiplyAdd(b, i);
                break;
            case "div":
                Divide(b, i);
                break;
            case "rem":
                Remainder(b, i);
                break;
            case "min":
                Minimum(b, i);
                break;
            case "max":
                Maximum(b, i);
                break;
            case "abs" or "neg":
                Sign(b, i);
                break;
            case "sqrt" or "rcp" or "rsqrt":
                Root(b, i);
                break;
            case "ex2" or "lg2" or "sin" or "cos" or "tanh":
                Transcendental(b, i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void SaturateAfter(ProgramBuilder b, PtxInstruction i)
    {
        var slot = b.Destination(i.Operands[0], PtxType.F32);
        b.After(() => b.EmitUnary<float, float, Saturate>(slot, slot));
    }

    private static void Add(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Type)
        {
            case PtxType.F32:
                b.Binary<float, Add<float>>(i);
                break;
            case PtxType.F64:
                b.Binary<double, Add<double>>(i);
                break;
            case PtxType.S32 when i.Has("sat"):
                b.Lane<int, int, int, AddSaturate>(i, PtxType.S32, PtxType.S32, PtxType.S32);
                break;
            case PtxType.S64 or PtxType.U64 or PtxType.B64:
                b.Binary<ulong, Add<ulong>>(i);
                break;
            case PtxType.S32 or PtxType.U32 or PtxType.S16 or PtxType.U16:
                b.Binary<uint, Add<uint>>(i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Subtract(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Type)
        {
            case PtxType.F32:
                b.Binary<float, Subtract<float>>(i);
                break;
            case PtxType.F64:
                b.Binary<double, Subtract<double>>(i);
                break;
            case PtxType.S32 when i.Has("sat"):
                b.Lane<int, int, int, SubtractSaturate>(i, PtxType.S32, PtxType.S32, PtxType.S32);
                break;
            case PtxType.S64 or PtxType.U64:
                b.Binary<ulong, Subtract<ulong>>(i);
                break;
            case PtxType.S32 or PtxType.U32 or PtxType.S16 or PtxType.U16:
                b.Binary<uint, Subtract<uint>>(i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Multiply(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Has("wide"))
        {
            MultiplyWide(b, i, null);
            return;
        }

        if (i.Has("hi"))
        {
            MultiplyHigh(b, i);
            return;
        }

        switch (i.Type)
        {
            case PtxType.F32:
                b.Binary<float, Multiply<float>>(i);
                break;
            case PtxType.F64:
                b.Binary<double, Multiply<double>>(i);
                break;
            case PtxType.S64 or PtxType.U64:
                b.Binary<ulong, Multiply<ulong>>(i);
                break;
            case PtxType.S32 or PtxType.U32 when i.Name == "mul":
                b.Binary<uint, Multiply<uint>>(i);
                break;
            case PtxType.S16 or PtxType.U16:
                b.Binary<uint, Multiply<uint>>(i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static unsafe void MultiplyWide(ProgramBuilder b, PtxInstruction i, PtxOperand? addend)
    {
        switch (i.Type)
        {
            case PtxType.S32:
                b.Emit(
                    &WideMultiplyAdd<int, long, MultiplyWideS32>.Converged, &WideMultiplyAdd<int, long, MultiplyWideS32>.Diverged,
                    b.Destination(i.Operands[0], PtxType.S64), b.Source(i.Operands[1], i.Type), b.Source(i.Operands[2], i.Type),
                    addend is null ? b.Constant(0, 8) : b.Source(addend, PtxType.S64));
                break;
            case PtxType.U32:
                b.Emit(
                    &WideMultiplyAdd<uint, ulong, MultiplyWideU32>.Converged, &WideMultiplyAdd<uint, ulong, MultiplyWideU32>.Diverged,
                    b.Destination(i.Operands[0], PtxType.U64), b.Source(i.Operands[1], i.Type), b.Source(i.Operands[2], i.Type),
                    addend is null ? b.Constant(0, 8) : b.Source(addend, PtxType.U64));
                break;
            case PtxType.S16 or PtxType.U16 when addend is null:
                b.EmitBinary<uint, Multiply<uint>>(
                    b.Destination(i.Operands[0], PtxType.U32), b.ExtendedSource(i.Operands[1], i.Type), b.ExtendedSource(i.Operands[2], i.Type));
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void MultiplyHigh(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Type)
        {
            case PtxType.S32:
                b.Lane<int, int, int, MultiplyHighS32>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.U32:
                b.Lane<uint, uint, uint, MultiplyHighU32>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.S64:
                b.Lane<long, long, long, MultiplyHighS64>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.U64:
                b.Lane<ulong, ulong, ulong, MultiplyHighU64>(i, i.Type, i.Type, i.Type);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void MultiplyAdd(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Has("wide"))
        {
            MultiplyWide(b, i, i.Operands[3]);
            return;
        }

        if (i.Has("hi"))
            throw i.Unsupported();
        switch (i.Type)
        {
            case PtxType.F32:
                b.Ternary<float, FusedMultiplyAdd32>(i);
                break;
            case PtxType.F64:
                b.Ternary<double, FusedMultiplyAdd64>(i);
                break;
            case PtxType.S64 or PtxType.U64:
                b.Ternary<ulong, MultiplyAdd<ulong>>(i);
                break;
            case PtxType.S32 or PtxType.U32 or PtxType.S16 or PtxType.U16:
                b.Ternary<uint, MultiplyAdd<uint>>(i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Divide(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Type)
        {
            case PtxType.F32:
                b.Binary<float, Divide<float>>(i);
                break;
            case PtxType.F64:
                b.Binary<double, Divide<double>>(i);
                break;
            case PtxType.S32 or PtxType.S16:
                b.Lane<int, int, int, IntegerDivide<int>>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.U32 or PtxType.U16:
                b.Lane<uint, uint, uint, IntegerDivide<uint>>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.S64:
                b.Lane<long, long, long, IntegerDivide<long>>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.U64:
                b.Lane<ulong, ulong, ulong, IntegerDivide<ulong>>(i, i.Type, i.Type, i.Type);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Remainder(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Type)
        {
            case PtxType.S32 or PtxType.S16:
                b.Lane<int, int, int, IntegerRemainder<int>>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.U32 or PtxType.U16:
                b.Lane<uint, uint, uint, IntegerRemainder<uint>>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.S64:
                b.Lane<long, long, long, IntegerRemainder<long>>(i, i.Type, i.Type, i.Type);
                break;
            case PtxType.U64:
                b.Lane<ulong, ulong, ulong, IntegerRemainder<ulong>>(i, i.Type, i.Type, i.Type);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Minimum(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Type)
        {
            case PtxType.F32 when i.Has("NaN"):
                b.Binary<float, MinimumOrNaN<float>>(i);
                break;
            case PtxType.F32:
                b.Binary<float, Minimum<float>>(i);
                break;
            case PtxType.F64:
                b.Binary<double, Minimum<double>>(i);
                break;
            case PtxType.S32 or PtxType.S16:
                b.Binary<int, MinimumOrNaN<int>>(i);
                break;
            case PtxType.U32 or PtxType.U16:
                b.Binary<uint, MinimumOrNaN<uint>>(i);
                break;
            case PtxType.S64:
                b.Binary<long, MinimumOrNaN<long>>(i);
                break;
            case PtxType.U64:
                b.Binary<ulong, MinimumOrNaN<ulong>>(i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Maximum(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Type)
        {
            case PtxType.F32 when i.Has("NaN"):
                b.Binary<float, MaximumOrNaN<float>>(i);
                break;
            case PtxType.F32:
                b.Binary<float, Maximum<float>>(i);
                break;
            case PtxType.F64:
                b.Binary<double, Maximum<double>>(i);
                break;
            case PtxType.S32 or PtxType.S16:
                b.Binary<int, MaximumOrNaN<int>>(i);
                break;
            case PtxType.U32 or PtxType.U16:
                b.Binary<uint, MaximumOrNaN<uint>>(i);
                break;
            case PtxType.S64:
                b.Binary<long, MaximumOrNaN<long>>(i);
                break;
            case PtxType.U64:
                b.Binary<ulong, MaximumOrNaN<ulong>>(i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Sign(ProgramBuilder b, PtxInstruction i)
    {
        var isAbsolute = i.Name == "abs";
        switch (i.Type)
        {
            case PtxType.F32 when isAbsolute:
                b.Unary<float, Absolute<float>>(i);
                break;
            case PtxType.F32:
                b.Unary<float, Negate<float>>(i);
                break;
            case PtxType.F64 when isAbsolute:
                b.Unary<double, Absolute<double>>(i);
                break;
            case PtxType.F64:
                b.Unary<double, Negate<double>>(i);
                break;
            case PtxType.S64 when isAbsolute:
                b.Unary<long, Absolute<long>>(i);
                break;
            case PtxType.S64:
                b.Unary<long, Negate<long>>(i);
                break;
            case PtxType.S32 or PtxType.S16 when isAbsolute:
                b.Unary<int, Absolute<int>>(i);
                break;
            case PtxType.S32 or PtxType.S16:
                b.Unary<int, Negate<int>>(i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Root(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name, i.Type)
        {
            case ("sqrt", PtxType.F32):
                b.Unary<float, SquareRoot<float>>(i);
                break;
            case ("sqrt", PtxType.F64):
                b.Unary<double, SquareRoot<double>>(i);
                break;
            case ("rcp", PtxType.F32):
                b.Unary<float, Reciprocal<float>>(i);
                break;
            case ("rcp", PtxType.F64):
                b.Unary<double, Reciprocal<double>>(i);
                break;
            case ("rsqrt", PtxType.F32):
                b.Unary<float, ReciprocalSquareRoot<float>>(i);
                break;
            case ("rsqrt", PtxType.F64):
                b.Unary<double, ReciprocalSquareRoot<double>>(i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Transcendental(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Type != PtxType.F32)
            throw i.Unsupported();
        switch (i.Name)
        {
            case "ex2":
                b.Unary<float, Exponential2>(i);
                break;
            case "lg2":
                b.Unary<float, Logarithm2>(i);
                break;
            case "sin":
                b.Unary<float, Sine>(i);
                break;
            case "cos":
                b.Unary<float, Cosine>(i);
                break;
            default:
                b.Unary<float, HyperbolicTangent>(i);
                break;
        }
    }
}
