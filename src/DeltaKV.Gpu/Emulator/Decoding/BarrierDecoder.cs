namespace DeltaKV.Gpu.Emulator;

/// <summary>bar, barrier and their reductions.</summary>
internal static unsafe class BarrierDecoder
{
    public static void Decode(ProgramBuilder b, PtxInstruction i)
    {
        if (i.Has("warp"))
        {
            WarpDecoder.Decode(b, i);
            return;
        }

        b.RequireAllWarps();
        var operands = i.Operands;
        var firstId = i.Has("red") ? 1 : 0;
        var isForAll = operands.Count == firstId || (operands.Count == firstId + (i.Has("red") ? 2 : 1));
        if (b.Sanitize && isForAll && !i.Has("arrive"))
            b.Emit(&SanitizedControl.BeforeBarrier, a: operands.Count > firstId ? b.Source(operands[firstId], PtxType.U32) : b.Constant(0, 4));
        if (i.Has("red"))
        {
            var reduction = i.Has("popc") ? BarrierReduction.Count : i.Has("and") ? BarrierReduction.And : BarrierReduction.Or;
            var destination = reduction == BarrierReduction.Count
                ? b.Destination(operands[0], PtxType.U32)
                : b.Predicate(operands[0]);
            var predicate = operands[^1];
            b.Emit(
                &BarrierOperations.Sync, destination, b.Source(operands[1], PtxType.U32), Count(b, operands, 2, operands.Count - 1),
                b.Predicate(predicate), (long)reduction, predicate.Negated ? -1 : 0);
            return;
        }

        var id = operands.Count > 0 ? b.Source(operands[0], PtxType.U32) : b.Constant(0, 4);
        var count = Count(b, operands, 1, operands.Count);
        if (i.Has("arrive"))
            b.Emit(&BarrierOperations.Arrive, a: id, b: count);
        else if (i.Has("sync"))
            b.Emit(&BarrierOperations.Sync, a: id, b: count);
        else
            throw i.Unsupported();
    }

    private static int Count(ProgramBuilder b, IReadOnlyList<PtxOperand> operands, int index, int end) =>
        index < end ? b.Source(operands[index], PtxType.U32) : b.Constant(0, 4);
}
