using System.Numerics;
using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <content>Operations of the usual shapes. Those that take an instruction read its operands and, unless told otherwise, its type.</content>
internal sealed unsafe partial class ProgramBuilder
{
    public void EmitUnary<TIn, TOut, TOperation>(int dst, int a)
        where TIn : unmanaged
        where TOut : unmanaged
        where TOperation : struct, IUnaryOperation<TIn, TOut> =>
        Emit(&VectorUnary<TIn, TOut, TOperation>.Run<AllLanes>, &VectorUnary<TIn, TOut, TOperation>.Run<ActiveLanes>, dst, a);

    public void EmitBinary<T, TOperation>(int dst, int a, int b)
        where T : unmanaged
        where TOperation : struct, IBinaryOperation<T> =>
        Emit(&VectorBinary<T, TOperation>.Run<AllLanes>, &VectorBinary<T, TOperation>.Run<ActiveLanes>, dst, a, b);

    public void EmitTernary<T, TOperation>(int dst, int a, int b, int c)
        where T : unmanaged
        where TOperation : struct, ITernaryOperation<T> =>
        Emit(&VectorTernary<T, TOperation>.Run<AllLanes>, &VectorTernary<T, TOperation>.Run<ActiveLanes>, dst, a, b, c);

    public void EmitWidening<TIn, TOut, TOperation>(int dst, int a)
        where TIn : unmanaged
        where TOut : unmanaged
        where TOperation : struct, IWideningOperation<TIn, TOut> =>
        Emit(&Widening<TIn, TOut, TOperation>.Run<AllLanes>, &Widening<TIn, TOut, TOperation>.Run<ActiveLanes>, dst, a);

    public void EmitNarrowing<TIn, TOut, TOperation>(int dst, int a)
        where TIn : unmanaged
        where TOut : unmanaged
        where TOperation : struct, INarrowingOperation<TIn, TOut> =>
        Emit(&Narrowing<TIn, TOut, TOperation>.Run<AllLanes>, &Narrowing<TIn, TOut, TOperation>.Run<ActiveLanes>, dst, a);

    public void Unary<T, TOperation>(PtxInstruction i)
        where T : unmanaged
        where TOperation : struct, IUnaryOperation<T, T> =>
        EmitUnary<T, T, TOperation>(Destination(i.Operands[0], i.Type), ExtendedSource(i.Operands[1], i.Type));

    /// <summary>The vector operation in the host's type for the instruction's.</summary>
    public void Unary<TOperation>(PtxInstruction i)
        where TOperation : struct, IUnaryOperation
    {
        switch (i.Type)
        {
            case F32: Unary<float, UnaryOf<float, TOperation>>(i); break;
            case F64: Unary<double, UnaryOf<double, TOperation>>(i); break;
            case S32 or S16: Unary<int, UnaryOf<int, TOperation>>(i); break;
            case U32 or U16 or B32 or B16: Unary<uint, UnaryOf<uint, TOperation>>(i); break;
            case S64: Unary<long, UnaryOf<long, TOperation>>(i); break;
            case U64 or B64: Unary<ulong, UnaryOf<ulong, TOperation>>(i); break;
            default: throw i.Unsupported();
        }
    }

    public void Binary<TOperation>(PtxInstruction i)
        where TOperation : struct, IBinaryOperation
    {
        var (d, a, b) = (Destination(i.Operands[0], i.Type), ExtendedSource(i.Operands[1], i.Type), ExtendedSource(i.Operands[2], i.Type));
        switch (i.Type)
        {
            case F32: EmitBinary<float, BinaryOf<float, TOperation>>(d, a, b); break;
            case F64: EmitBinary<double, BinaryOf<double, TOperation>>(d, a, b); break;
            case S32 or S16: EmitBinary<int, BinaryOf<int, TOperation>>(d, a, b); break;
            case U32 or U16 or B32 or B16: EmitBinary<uint, BinaryOf<uint, TOperation>>(d, a, b); break;
            case S64: EmitBinary<long, BinaryOf<long, TOperation>>(d, a, b); break;
            case U64 or B64: EmitBinary<ulong, BinaryOf<ulong, TOperation>>(d, a, b); break;
            default: throw i.Unsupported();
        }
    }

    public void Ternary<TOperation>(PtxInstruction i)
        where TOperation : struct, ITernaryOperation
    {
        var (d, a) = (Destination(i.Operands[0], i.Type), ExtendedSource(i.Operands[1], i.Type));
        var (b, c) = (ExtendedSource(i.Operands[2], i.Type), ExtendedSource(i.Operands[3], i.Type));
        switch (i.Type)
        {
            case F32: EmitTernary<float, TernaryOf<float, TOperation>>(d, a, b, c); break;
            case F64: EmitTernary<double, TernaryOf<double, TOperation>>(d, a, b, c); break;
            case S32 or S16: EmitTernary<int, TernaryOf<int, TOperation>>(d, a, b, c); break;
            case U32 or U16: EmitTernary<uint, TernaryOf<uint, TOperation>>(d, a, b, c); break;
            case S64: EmitTernary<long, TernaryOf<long, TOperation>>(d, a, b, c); break;
            case U64: EmitTernary<ulong, TernaryOf<ulong, TOperation>>(d, a, b, c); break;
            default: throw i.Unsupported();
        }
    }

    /// <summary>Lane by lane, on two integers.</summary>
    public void Integer<TOperation>(PtxInstruction i)
        where TOperation : struct, IIntegerOperation
    {
        switch (i.Type)
        {
            case S32 or S16: Lane<int, int, int, IntegerOf<int, TOperation>>(i); break;
            case U32 or U16: Lane<uint, uint, uint, IntegerOf<uint, TOperation>>(i); break;
            case S64: Lane<long, long, long, IntegerOf<long, TOperation>>(i); break;
            case U64: Lane<ulong, ulong, ulong, IntegerOf<ulong, TOperation>>(i); break;
            default: throw i.Unsupported();
        }
    }

    /// <summary>A 32-bit count of each lane's bits.</summary>
    public void Count<TCount>(PtxInstruction i)
        where TCount : struct, IBitCount
    {
        switch (i.Type)
        {
            case S32: Lane<int, uint, BitCountOf<int, TCount>>(i); break;
            case U32 or B32: Lane<uint, uint, BitCountOf<uint, TCount>>(i); break;
            case S64: Lane<long, uint, BitCountOf<long, TCount>>(i); break;
            case U64 or B64: Lane<ulong, uint, BitCountOf<ulong, TCount>>(i); break;
            default: throw i.Unsupported();
        }
    }

    /// <summary>Lane by lane, operands in the types the operation takes.</summary>
    public void Lane<TA, TOut, TOperation>(PtxInstruction i)
        where TA : unmanaged, INumber<TA>
        where TOut : unmanaged, INumber<TOut>
        where TOperation : struct, ILaneUnary<TA, TOut> =>
        Emit(&LaneUnary<TA, TOut, TOperation>.Run, Destination<TOut>(i), Source<TA>(i, 1));

    public void Lane<TA, TB, TOut, TOperation>(PtxInstruction i)
        where TA : unmanaged, INumber<TA>
        where TB : unmanaged, INumber<TB>
        where TOut : unmanaged, INumber<TOut>
        where TOperation : struct, ILaneBinary<TA, TB, TOut> =>
        Emit(&LaneBinary<TA, TB, TOut, TOperation>.Run, Destination<TOut>(i), Source<TA>(i, 1), Source<TB>(i, 2));

    public void Lane<TA, TB, TC, TOut, TOperation>(PtxInstruction i)
        where TA : unmanaged, INumber<TA>
        where TB : unmanaged, INumber<TB>
        where TC : unmanaged, INumber<TC>
        where TOut : unmanaged, INumber<TOut>
        where TOperation : struct, ILaneTernary<TA, TB, TC, TOut> =>
        Emit(&LaneTernary<TA, TB, TC, TOut, TOperation>.Run, Destination<TOut>(i), Source<TA>(i, 1), Source<TB>(i, 2), Source<TC>(i, 3));

    /// <summary>In sanitized programs, emits the check of an access by the first lanes of a warp.</summary>
    public void EmitCheck<TAddressing>(
        int address, long displacement, int bytes, AccessKind kind, ReadOnlySpan<int> values = default, int elementBytes = 0, int lanes = Warp.Lanes)
        where TAddressing : struct, IAddressing
    {
        if (Sanitize && typeof(TAddressing) != typeof(ParameterAddressing))
            EmitExtra(&AccessCheck<TAddressing>.Run, values, bytes, address, elementBytes, (int)kind, displacement, lanes);
    }

    private int Destination<T>(PtxInstruction i)
        where T : unmanaged, INumber<T> => Destination(i.Operands[0], TypeOf<T>(i));

    private int Source<T>(PtxInstruction i, int operand)
        where T : unmanaged, INumber<T> => ExtendedSource(i.Operands[operand], TypeOf<T>(i));

    /// <summary>The type of an operand that the host holds as T: the instruction's own where that is narrower than a lane.</summary>
    private static PtxType TypeOf<T>(PtxInstruction i)
        where T : unmanaged, INumber<T>
    {
        if (typeof(T) == typeof(float))
            return F32;
        var isSigned = T.IsNegative(T.Zero - T.One);
        if (sizeof(T) == 8)
            return isSigned ? S64 : U64;
        return i.Type.Size() < 4 ? i.Type : isSigned ? S32 : U32;
    }
}
