using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>setp, set, selp and slct.</summary>
internal static unsafe class CompareDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        switch (i.Name)
        {
            case "setp": SetPredicate(b, i); break;
            case "set": Set(b, i); break;
            case "selp": Choose(b, i, b.Predicate(i.Operands[3]), i.Operands[3].Negated); break;
            case "slct": ChooseBySign(b, i); break;
            case "testp": Test(b, i); break;
            default: throw i.Unsupported();
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
        EmitComparison(i, i.Modifier(0), new Site(b, destination, complement, c, aux), i.Type, a, second);
    }

    private static void Set(ProgramBuilder b, PtxInstruction i)
    {
        var source = i.Types[1];
        if (i.Operands.Count > 3)
            throw i.Unsupported();
        var predicate = b.Temporary();
        EmitComparison(
            i, i.Modifier(0), new Site(b, predicate), source, b.ExtendedSource(i.Operands[1], source), b.ExtendedSource(i.Operands[2], source));
        var yes = i.Type == F32 ? BitConverter.SingleToUInt32Bits(1) : uint.MaxValue;
        Choose(b, B32, b.Destination(i.Operands[0], i.Type), b.Constant(yes, 4), b.Constant(0, 4), predicate);
    }

    private static void ChooseBySign(ProgramBuilder b, PtxInstruction i)
    {
        var predicate = b.Temporary();
        var c = b.Source(i.Operands[3], i.Types[1]);
        EmitComparison(i, "ge", new Site(b, predicate), i.Types[1], c, b.Constant(0, 4));
        Choose(b, i, predicate, false);
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
        EmitComparison(i, comparison, new Site(b, destination), i.Type, a, a);
    }

    private static void Choose(ProgramBuilder b, PtxInstruction i, int predicate, bool negated) => Choose(
        b, i.Type, b.Destination(i.Operands[0], i.Type), b.Source(i.Operands[1], i.Type), b.Source(i.Operands[2], i.Type), predicate, negated);

    private static void Choose(ProgramBuilder b, PtxType type, int destination, int yes, int no, int predicate, bool negated = false)
    {
        var aux = negated ? -1 : 0;
        if (type.LaneSize() == 8)
            b.Emit(&Select<ulong>.Run<AllLanes>, &Select<ulong>.Run<ActiveLanes>, destination, yes, no, predicate, aux: aux);
        else
            b.Emit(&Select<uint>.Run<AllLanes>, &Select<uint>.Run<ActiveLanes>, destination, yes, no, predicate, aux: aux);
    }

    /// <summary>Emits the comparison whose result goes to a site; what is greater is written as less with the sides exchanged.</summary>
    private static void EmitComparison(PtxInstruction i, string comparison, Site at, PtxType type, int x, int y)
    {
        var isFloat = type.IsFloat();
        switch (comparison)
        {
            case "eq": at.Emit<Equal>(type, x, y); break;
            case "ne" when isFloat: at.Emit<OrderedNotEqual>(type, x, y); break;
            case "ne" or "neu": at.Emit<NotEqual>(type, x, y); break;
            case "lt": at.Emit<Less>(type, x, y); break;
            case "le": at.Emit<LessOrEqual>(type, x, y); break;
            case "gt": at.Emit<Less>(type, y, x); break;
            case "ge": at.Emit<LessOrEqual>(type, y, x); break;
            case "lo" when !isFloat: at.Emit<Less>(Unsigned(type), x, y); break;
            case "ls" when !isFloat: at.Emit<LessOrEqual>(Unsigned(type), x, y); break;
            case "hi" when !isFloat: at.Emit<Less>(Unsigned(type), y, x); break;
            case "hs" when !isFloat: at.Emit<LessOrEqual>(Unsigned(type), y, x); break;
            case "equ": at.Emit<EqualUnordered>(type, x, y); break;
            case "ltu": at.Emit<LessUnordered>(type, x, y); break;
            case "leu": at.Emit<LessOrEqualUnordered>(type, x, y); break;
            case "gtu": at.Emit<LessUnordered>(type, y, x); break;
            case "geu": at.Emit<LessOrEqualUnordered>(type, y, x); break;
            case "num": at.Emit<Ordered>(type, x, y); break;
            case "nan": at.Emit<Unordered>(type, x, y); break;
            default: throw i.Unsupported();
        }
    }

    private static PtxType Unsigned(PtxType type) => type.LaneSize() == 8 ? U64 : U32;

    /// <summary>Where a comparison's result goes.</summary>
    private sealed record Site(ProgramBuilder Builder, int Destination, long Complement = Predicates.NoSlot, int Other = 0, int Aux = 0)
    {
        public void Emit<TComparison>(PtxType type, int x, int y)
            where TComparison : struct, IBinaryOperation
        {
            switch (type)
            {
                case F32: Emit<float, TComparison>(x, y); break;
                case F64: Emit<double, TComparison>(x, y); break;
                case S32 or S16: Emit<int, TComparison>(x, y); break;
                case U32 or B32 or U16 or B16: Emit<uint, TComparison>(x, y); break;
                case S64: Emit<long, TComparison>(x, y); break;
                case U64 or B64: Emit<ulong, TComparison>(x, y); break;
                case F16 or BF16: Emit<float, TComparison>(HalfDecoder.ToSingle(Builder, type, x), HalfDecoder.ToSingle(Builder, type, y)); break;
                default: throw Builder.Unsupported("unsupported type of a comparison");
            }
        }

        private void Emit<T, TComparison>(int x, int y)
            where T : unmanaged
            where TComparison : struct, IBinaryOperation
        {
            if (Aux == 0 && Complement == Predicates.NoSlot)
                Builder.Emit(&Compare<T, TComparison>.Plain, Destination, x, y);
            else
                Builder.Emit(&Compare<T, TComparison>.Combined, Destination, x, y, Other, Complement, Aux);
        }
    }
}
