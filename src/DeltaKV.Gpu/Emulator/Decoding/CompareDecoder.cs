namespace DeltaKV.Gpu.Emulator;

/// <summary>setp, set, selp and slct.</summary>
internal static unsafe class CompareDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "setp":
                SetPredicate(b, i);
                break;
            case "set":
                Set(b, i);
                break;
            case "selp":
                Choose(
                    b, i.Type, b.Destination(i.Operands[0], i.Type), b.Source(i.Operands[1], i.Type), b.Source(i.Operands[2], i.Type),
                    b.Predicate(i.Operands[3]), i.Operands[3].Negated);
                break;
            case "slct":
                ChooseBySign(b, i);
                break;
            case "testp":
                Test(b, i);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void SetPredicate(ProgramBuilder b, PtxInstruction i)
    {
        var isPair = i.Operands[0].Kind == OperandKind.Pair;
        var destination = b.Predicate(isPair ? i.Operands[0].Elements[0] : i.Operands[0]);
        var complement = isPair ? b.Predicate(i.Operands[0].Elements[1]) : Predicates.NoSlot;
        var a = b.ExtendedSource(i.Operands[1], i.Type);
        var second = b.ExtendedSource(i.Operands[2], i.Type);
        var other = i.Operands.Count > 3 ? i.Operands[3] : null;
        var combination = other is null ? PredicateCombination.None : i.Modifier(1) switch
        {
            "and" => PredicateCombination.And,
            "or" => PredicateCombination.Or,
            "xor" => PredicateCombination.Xor,
            _ => throw i.Unsupported(),
        };
        var aux = (int)combination | (other is { Negated: true } ? int.MinValue : 0);
        var c = other is null ? destination : b.Predicate(other);
        EmitComparison(b, i, i.Modifier(0), destination, complement, a, second, c, aux);
    }

    private static void Set(ProgramBuilder b, PtxInstruction i)
    {
        var source = i.Types[1];
        if (i.Operands.Count > 3)
            throw i.Unsupported();
        var predicate = b.Temporary(4);
        EmitComparison(
            b, i, i.Modifier(0), predicate, Predicates.NoSlot,
            b.ExtendedSource(i.Operands[1], source), b.ExtendedSource(i.Operands[2], source), predicate, 0, source);
        var yes = i.Type == PtxType.F32 ? BitConverter.SingleToUInt32Bits(1) : uint.MaxValue;
        Choose(b, PtxType.B32, b.Destination(i.Operands[0], i.Type), b.Constant(yes, 4), b.Constant(0, 4), predicate, false);
    }

    private static void ChooseBySign(ProgramBuilder b, PtxInstruction i)
    {
        var predicate = b.Temporary(4);
        var c = b.Source(i.Operands[3], i.Types[1]);
        EmitComparison(b, i, "ge", predicate, Predicates.NoSlot, c, b.Constant(0, 4), predicate, 0, i.Types[1]);
        Choose(
            b, i.Type, b.Destination(i.Operands[0], i.Type), b.Source(i.Operands[1], i.Type), b.Source(i.Operands[2], i.Type),
            predicate, false);
    }

    private static void Test(ProgramBuilder b, PtxInstruction i)
    {
        var a = b.Source(i.Operands[1], i.Type);
        var destination = b.Predicate(i.Operands[0]);
        var comparison = i.Modifier(0) switch
        {
            "notanumber" => "nan",
            "number" => "num",
            _ => throw i.Unsupported(),
        };
        EmitComparison(b, i, comparison, destination, Predicates.NoSlot, a, a, destination, 0);
    }

    private static void Choose(ProgramBuilder b, PtxType type, int destination, int yes, int no, int predicate, bool negated)
    {
        var aux = negated ? -1 : 0;
        if (type.LaneSize() == 8)
            b.Emit(&Select<ulong>.Run, destination, yes, no, predicate, aux: aux);
        else
            b.Emit(&Select<uint>.Run, destination, yes, no, predicate, aux: aux);
    }

    private static void EmitComparison(
        ProgramBuilder b, PtxInstruction i, string comparison, int dst, long complement, int x, int y, int c, int aux, PtxType type = PtxType.None)
    {
        var at = new Site(b, dst, complement, c, aux);
        type = type == PtxType.None ? i.Type : type;
        switch (type)
        {
            case PtxType.F32:
                Float<float>(at, i, comparison, x, y);
                break;
            case PtxType.F64:
                Float<double>(at, i, comparison, x, y);
                break;
            case PtxType.S64:
                Integer<long, ulong>(at, i, comparison, x, y);
                break;
            case PtxType.U64 or PtxType.B64:
                Integer<ulong, ulong>(at, i, comparison, x, y);
                break;
            case PtxType.S32 or PtxType.S16:
                Integer<int, uint>(at, i, comparison, x, y);
                break;
            case PtxType.U32 or PtxType.B32 or PtxType.U16 or PtxType.B16:
                Integer<uint, uint>(at, i, comparison, x, y);
                break;
            case PtxType.F16 or PtxType.BF16:
                Float<float>(at, i, comparison, HalfDecoder.ToSingle(b, type, x), HalfDecoder.ToSingle(b, type, y));
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Integer<T, TUnsigned>(Site at, PtxInstruction i, string comparison, int x, int y)
        where T : unmanaged
        where TUnsigned : unmanaged
    {
        switch (comparison)
        {
            case "eq":
                at.Emit<T, Equal<T>>(x, y);
                break;
            case "ne":
                at.Emit<T, NotEqual<T>>(x, y);
                break;
            case "lt":
                at.Emit<T, Less<T>>(x, y);
                break;
            case "le":
                at.Emit<T, LessOrEqual<T>>(x, y);
                break;
            case "gt":
                at.Emit<T, Less<T>>(y, x);
                break;
            case "ge":
                at.Emit<T, LessOrEqual<T>>(y, x);
                break;
            case "lo":
                at.Emit<TUnsigned, Less<TUnsigned>>(x, y);
                break;
            case "ls":
                at.Emit<TUnsigned, LessOrEqual<TUnsigned>>(x, y);
                break;
            case "hi":
                at.Emit<TUnsigned, Less<TUnsigned>>(y, x);
                break;
            case "hs":
                at.Emit<TUnsigned, LessOrEqual<TUnsigned>>(y, x);
                break;
            default:
                throw i.Unsupported();
        }
    }

    private static void Float<T>(Site at, PtxInstruction i, string comparison, int x, int y)
        where T : unmanaged
    {
        switch (comparison)
        {
            case "eq":
                at.Emit<T, Equal<T>>(x, y);
                break;
            case "ne":
                at.Emit<T, OrderedNotEqual<T>>(x, y);
                break;
            case "lt":
                at.Emit<T, Less<T>>(x, y);
                break;
            case "le":
                at.Emit<T, LessOrEqual<T>>(x, y);
                break;
            case "gt":
                at.Emit<T, Less<T>>(y, x);
                break;
            case "ge":
                at.Emit<T, LessOrEqual<T>>(y, x);
                break;
            case "equ":
                at.Emit<T, EqualUnordered<T>>(x, y);
                break;
            case "neu":
                at.Emit<T, NotEqual<T>>(x, y);
                break;
            case "ltu":
                at.Emit<T, LessUnordered<T>>(x, y);
                break;
            case "leu":
                at.Emit<T, LessOrEqualUnordered<T>>(x, y);
                break;
            case "gtu":
                at.Emit<T, LessUnordered<T>>(y, x);
                break;
            case "geu":
                at.Emit<T, LessOrEqualUnordered<T>>(y, x);
                break;
            case "num":
                at.Emit<T, Ordered<T>>(x, y);
                break;
            case "nan":
                at.Emit<T, Unordered<T>>(x, y);
                break;
            default:
                throw i.Unsupported();
        }
    }

    /// <summary>Where a comparison's result goes.</summary>
    private sealed record Site(ProgramBuilder Builder, int Destination, long Complement, int Other, int Aux)
    {
        public void Emit<T, TComparison>(int x, int y)
            where T : unmanaged
            where TComparison : struct, IComparison<T>
        {
            if (Aux == 0 && Complement == Predicates.NoSlot)
                Builder.Emit(&Compare<T, TComparison>.Plain, Destination, x, y);
            else
                Builder.Emit(&Compare<T, TComparison>.Combined, Destination, x, y, Other, Complement, Aux);
        }
    }
}
