using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>cvt in all its forms: vector operations for the common pairs, one general operation for the rest.</summary>
internal static unsafe class ConvertDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Types.Count < 2 || i.Has("relu"))
            throw i.Unsupported();
        var (to, from) = (i.Types[0], i.Types[1]);
        if (to is BF16x2 or F16x2 or E4M3x2 or E5M2x2 || i.Operands.Count > 2)
            Pack(b, i, to, from);
        else if (to == TF32)
            b.EmitUnary<uint, uint, SingleToTensorFloat>(b.Destination(i.Operands[0], B32), b.Source(i.Operands[1], B32));
        else if (to.IsInteger() && from.IsInteger() && !i.Has("sat"))
            BetweenIntegers(b, i, to, from);
        else if (!TryVector(b, i, to, from))
            General(b, i, to, from);
    }

    private static void Pack(ProgramBuilder b, PtxInstruction i, PtxType to, PtxType from)
    {
        if (!i.Has("rn"))
            throw i.Unsupported();
        switch (to, from)
        {
            case (BF16x2, F32): Pack<PackHalves<BFloat16Format>>(b, i); break;
            case (F16x2, F32): Pack<PackHalves<Float16Format>>(b, i); break;
            case (E4M3x2, F32): b.Lane<float, float, uint, PackFloat8<E4M3Format>>(i); break;
            case (E5M2x2, F32): b.Lane<float, float, uint, PackFloat8<E5M2Format>>(i); break;
            case (E4M3x2, F16x2): b.Lane<uint, uint, PackFloat8FromHalves<E4M3Format>>(i); break;
            case (E5M2x2, F16x2): b.Lane<uint, uint, PackFloat8FromHalves<E5M2Format>>(i); break;
            case (F16x2, E4M3x2): Convert<uint, uint, UnpackFloat8<E4M3Fragment>>(b, i, to, from); break;
            case (F16x2, E5M2x2): Convert<uint, uint, UnpackFloat8<E5M2Fragment>>(b, i, to, from); break;
            default: throw i.Unsupported();
        }
    }

    private static void Pack<TOperation>(ProgramBuilder b, PtxInstruction i)
        where TOperation : struct, IBinaryOperation<uint> =>
        b.EmitBinary<uint, TOperation>(
            b.Destination(i.Operands[0], B32), b.Source(i.Operands[1], F32), b.Source(i.Operands[2], F32));

    private static void Convert<TIn, TOut, TOperation>(ProgramBuilder b, PtxInstruction i, PtxType to, PtxType from)
        where TIn : unmanaged
        where TOut : unmanaged
        where TOperation : struct, IUnaryOperation<TIn, TOut> =>
        b.EmitUnary<TIn, TOut, TOperation>(b.Destination(i.Operands[0], to), b.ExtendedSource(i.Operands[1], from));

    private static void BetweenIntegers(ProgramBuilder b, PtxInstruction i, PtxType to, PtxType from)
    {
        var destination = b.Destination(i.Operands[0], to);
        var source = b.ExtendedSource(i.Operands[1], from);
        if (to.LaneSize() == 8)
        {
            if (from.LaneSize() == 8)
                b.EmitUnary<ulong, ulong, Move<ulong>>(destination, source);
            else if (from.IsSigned())
                b.EmitWidening<int, long, SignExtend32>(destination, source);
            else
                b.EmitWidening<uint, ulong, ZeroExtend32>(destination, source);
            return;
        }

        if (from.LaneSize() == 8)
        {
            b.EmitNarrowing<ulong, uint, Truncate>(destination, source);
            source = destination;
        }

        if (to.LaneSize() == 4 && to.Size() < 4)
            b.EmitExtension(to, destination, source);
        else if (source != destination)
            b.EmitUnary<uint, uint, Move<uint>>(destination, source);
    }

    private static bool TryVector(ProgramBuilder b, PtxInstruction i, PtxType to, PtxType from)
    {
        var (mode, toInteger) = Rounding(i, to, from);
        if (i.Has("sat") && to.IsFloat())
            return false;
        var nearest = mode == RoundingMode.NearestEven;
        switch (to, from)
        {
            case (F32, BF16): Convert<uint, float, HalfToSingle<BFloat16Format>>(b, i, to, from); break;
            case (F32, F16): Convert<uint, float, HalfToSingle<Float16Format>>(b, i, to, from); break;
            case (BF16, F32) when nearest: Convert<float, uint, SingleToHalf<BFloat16Format>>(b, i, to, from); break;
            case (F16, F32) when nearest: Convert<float, uint, SingleToHalf<Float16Format>>(b, i, to, from); break;
            case (F32, S32 or S16 or S8) when nearest: Convert<int, float, Int32ToSingle>(b, i, to, from); break;
            case (F32, U32 or U16 or U8) when nearest: Convert<uint, float, UInt32ToSingle>(b, i, to, from); break;
            case (F64, F32) when !toInteger:
                b.EmitWidening<float, double, SingleToDouble>(b.Destination(i.Operands[0], to), b.Source(i.Operands[1], from));
                break;
            case (F32, F64) when nearest && !toInteger:
                b.EmitNarrowing<double, float, DoubleToSingle>(b.Destination(i.Operands[0], to), b.Source(i.Operands[1], from));
                break;
            case (F32, F32) when toInteger: EmitRound(b, mode, b.Destination(i.Operands[0], to), b.Source(i.Operands[1], from)); break;
            case (S32, F32): b.EmitUnary<float, int, SingleToInt32>(b.Destination(i.Operands[0], to), Rounded(b, i, mode)); break;
            case (U32, F32): b.EmitUnary<float, uint, SingleToUInt32>(b.Destination(i.Operands[0], to), Rounded(b, i, mode)); break;
            default: return false;
        }

        return true;
    }

    private static int Rounded(ProgramBuilder b, PtxInstruction i, RoundingMode mode)
    {
        var source = b.Source(i.Operands[1], F32);
        if (mode == RoundingMode.TowardZero)
            return source; // the conversion itself truncates
        var rounded = b.Temporary();
        EmitRound(b, mode, rounded, source);
        return rounded;
    }

    private static void EmitRound(ProgramBuilder b, RoundingMode mode, int destination, int source)
    {
        switch (mode)
        {
            case RoundingMode.NearestEven: b.EmitUnary<float, float, RoundToEven>(destination, source); break;
            case RoundingMode.TowardZero: b.EmitUnary<float, float, RoundToZero>(destination, source); break;
            case RoundingMode.Down: b.EmitUnary<float, float, RoundDown>(destination, source); break;
            default: b.EmitUnary<float, float, RoundUp>(destination, source); break;
        }
    }

    private static void General(ProgramBuilder b, PtxInstruction i, PtxType to, PtxType from)
    {
        if (!(to.IsFloat() || to.IsInteger()) || !(from.IsFloat() || from.IsInteger()))
            throw i.Unsupported();
        var (mode, toInteger) = Rounding(i, to, from);
        var conversion = new Conversion(to, from, mode, toInteger, i.Has("sat"));
        b.Emit(&GeneralConversion.Run, b.Destination(i.Operands[0], to), b.Source(i.Operands[1], from), imm: conversion.Pack());
    }

    private static (RoundingMode Mode, bool ToInteger) Rounding(PtxInstruction i, PtxType to, PtxType from)
    {
        foreach (var modifier in i.Modifiers)
        {
            switch (modifier)
            {
                case "rn": return (RoundingMode.NearestEven, false);
                case "rz": return (RoundingMode.TowardZero, false);
                case "rm": return (RoundingMode.Down, false);
                case "rp": return (RoundingMode.Up, false);
                case "rni": return (RoundingMode.NearestEven, true);
                case "rzi": return (RoundingMode.TowardZero, true);
                case "rmi": return (RoundingMode.Down, true);
                case "rpi": return (RoundingMode.Up, true);
                default: break;
            }
        }

        return (from.IsFloat() && to.IsInteger() ? RoundingMode.TowardZero : RoundingMode.NearestEven, false);
    }
}
