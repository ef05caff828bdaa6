using static DeltaKV.Gpu.Emulator.PtxType;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Instructions by which the lanes of a warp exchange values.</summary>
internal static unsafe class WarpDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        var operands = i.Operands;
        if (i.Name == "activemask")
        {
            b.Emit(&WarpOperations.ActiveMask, b.Destination(operands[0], B32));
            return;
        }

        int[] members = [b.Source(operands[^1], B32)];
        switch (i.Name)
        {
            case "bar" or "barrier":
                if (b.Sanitize)
                    b.Emit(&SanitizedControl.BeforeWarpBarrier);
                b.EmitExtra(&WarpOperations.Synchronize, members);
                break;
            case "shfl": Shuffle(b, i, members); break;
            case "vote": Vote(b, i, members); break;
            case "match": Match(b, i, members); break;
            case "redux": Reduce(b, i, members); break;
            case "elect":
                b.EmitExtra(
                    &WarpOperations.Elect, members, b.Destination(operands[0].Elements[0], B32), imm: b.Predicate(operands[0].Elements[1]));
                break;
            default: throw i.Unsupported();
        }
    }

    private static void Shuffle(ProgramBuilder b, PtxInstruction i, int[] members)
    {
        var mode = i.Modifier(1) switch
        {
            "up" => ShuffleMode.Up,
            "down" => ShuffleMode.Down,
            "bfly" => ShuffleMode.Butterfly,
            "idx" => ShuffleMode.Index,
            _ => throw i.Unsupported(),
        };
        var (destination, predicate) = Destinations(b, i.Operands[0]);
        b.EmitExtra(
            &WarpOperations.Shuffle, members, destination, b.Source(i.Operands[1], B32),
            b.Source(i.Operands[2], B32), b.Source(i.Operands[3], B32), predicate, (int)mode);
    }

    private static void Vote(ProgramBuilder b, PtxInstruction i, int[] members)
    {
        var source = b.Predicate(i.Operands[1]);
        var aux = i.Operands[1].Negated ? -1 : 0;
        switch (i.Modifier(1))
        {
            case "ballot": b.EmitExtra(&WarpOperations.Ballot, members, b.Destination(i.Operands[0], B32), source, aux: aux); break;
            case "all": b.EmitExtra(&WarpOperations.VoteAll, members, b.Predicate(i.Operands[0]), source, aux: aux); break;
            case "any": b.EmitExtra(&WarpOperations.VoteAny, members, b.Predicate(i.Operands[0]), source, aux: aux); break;
            case "uni": b.EmitExtra(&WarpOperations.VoteUniform, members, b.Predicate(i.Operands[0]), source, aux: aux); break;
            default: throw i.Unsupported();
        }
    }

    private static void Match(ProgramBuilder b, PtxInstruction i, int[] members)
    {
        var (destination, predicate) = Destinations(b, i.Operands[0]);
        var source = b.Source(i.Operands[1], i.Type);
        switch (i.Has("all"), i.Type.LaneSize())
        {
            case (true, 4): b.EmitExtra(&WarpOperations.MatchAll<uint>, members, destination, source, imm: predicate); break;
            case (true, _): b.EmitExtra(&WarpOperations.MatchAll<ulong>, members, destination, source, imm: predicate); break;
            case (false, 4): b.EmitExtra(&WarpOperations.MatchAny<uint>, members, destination, source); break;
            default: b.EmitExtra(&WarpOperations.MatchAny<ulong>, members, destination, source); break;
        }
    }

    private static void Reduce(ProgramBuilder b, PtxInstruction i, int[] members) => b.EmitExtra(
        (i.Modifier(1), i.Type) switch
        {
            ("add", S32 or U32) => &WarpOperations.Reduce<uint, Add>,
            ("and", B32) => &WarpOperations.Reduce<uint, And>,
            ("or", B32) => &WarpOperations.Reduce<uint, Or>,
            ("xor", B32) => &WarpOperations.Reduce<uint, Xor>,
            ("min", S32) => &WarpOperations.Reduce<int, Minimum>,
            ("max", S32) => &WarpOperations.Reduce<int, Maximum>,
            ("min", U32) => &WarpOperations.Reduce<uint, Minimum>,
            ("max", U32) => &WarpOperations.Reduce<uint, Maximum>,
            _ => throw i.Unsupported(),
        },
        members, b.Destination(i.Operands[0], B32), b.Source(i.Operands[1], B32));

    private static (int Value, long Predicate) Destinations(ProgramBuilder b, PtxOperand operand) => operand.Kind == OperandKind.Pair
        ? (b.Destination(operand.Elements[0], B32), b.Predicate(operand.Elements[1]))
        : (b.Destination(operand, B32), Predicates.NoSlot);
}
