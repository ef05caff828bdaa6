using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>The queries of one sequence whose attention is measured, as rows: all of the first query head of a key head, then of the next; and what kernels read and write for a row.</summary>
/// <remarks>Rows past the last repeat it: they are read, but count nothing and write nothing.</remarks>
/// <param name="sequence">Row of the tables.</param>
/// <param name="firstRow">The first query's row of the step.</param>
/// <param name="count">Queries.</param>
/// <param name="firstPosition">The first query's slot.</param>
internal readonly struct QueryRun(int sequence, int firstRow, int count, int firstPosition)
{
    /// <summary>Row of the tables.</summary>
    public readonly int Sequence = sequence;

    /// <summary>The first query's row of the step.</summary>
    public readonly int FirstRow = firstRow;

    /// <summary>Queries.</summary>
    public readonly int Count = count;

    /// <summary>The first query's slot.</summary>
    public readonly int FirstPosition = firstPosition;

    /// <summary>The launch's sequence, or in a step of many the one that the grid's z index names.</summary>
    public static QueryRun Of(in AttentionMassArguments arguments)
    {
        if (arguments.Count > 0)
            return new QueryRun(arguments.Sequence, arguments.FirstRow, arguments.Count, arguments.FirstPosition);
        // A padding row is at position -1, so that its sequence of no length is over at once.
        var row = Grid.IdxZ;
        return new QueryRun(arguments.Rows.Sequences[row], row, 1, arguments.Rows.Positions[row]);
    }

    /// <summary>The slot of a row's query.</summary>
    public int PositionOf(int row, int groupSize) => FirstPosition + (Math.Min(row, (Count * groupSize) - 1) % Count);

    /// <summary>Left operands of rows <paramref name="row"/> and 8 below it.</summary>
    public void Load<THead>(in AttentionMassArguments arguments, int row, ArrayView<UInt4> q)
        where THead : struct, IHead
    {
        var upper = arguments.Queries.SubView(OffsetOf(row, arguments, THead.Dim / 2) + (Warp.LaneIdx & 3));
        var lower = arguments.Queries.SubView(OffsetOf(row + 8, arguments, THead.Dim / 2) + (Warp.LaneIdx & 3));
        for (var k = 0; k < Unroll.Full(THead.Dim / 16); k++)
            q[k] = new UInt4(upper[8 * k], lower[8 * k], upper[(8 * k) + 4], lower[(8 * k) + 4]);
    }

    /// <summary>Writes the logarithm of a query's denominator, or a split's share of it.</summary>
    public void StoreLogSumExp(in AttentionMassArguments arguments, int row, int split, float value)
    {
        if (row < Count * arguments.GroupSize)
            arguments.LogSumExp[(IndexOf(row, arguments) * arguments.Splits) + split] = value;
    }

    /// <summary>The logarithm of a query's denominator, its splits added up.</summary>
    public float LogSumExpOf(in AttentionMassArguments arguments, int row)
    {
        var parts = arguments.LogSumExp.SubView(IndexOf(row, arguments) * arguments.Splits);
        var largest = parts[0];
        for (var split = 1; split < arguments.Splits; split++)
            largest = MathF.Max(largest, parts[split]);
        var sum = 0f;
        for (var split = 0; split < arguments.Splits; split++)
            sum += AttentionMassKernel.Weight(parts[split], largest);
        return largest + FastMath.Lg2(sum);
    }

    /// <summary>What a query's head counts; nothing past the last row.</summary>
    public float WeightOf(in AttentionMassArguments arguments, int row)
    {
        if (row >= Count * arguments.GroupSize)
            return 0f;
        return arguments.HeadWeights.Length == 0 ? 1f : arguments.HeadWeights[HeadOf(row, arguments.GroupSize)];
    }

    private int HeadOf(int row, int groupSize) => (Grid.IdxY * groupSize) + (Math.Min(row, (Count * groupSize) - 1) / Count);

    private long OffsetOf(int row, in AttentionMassArguments arguments, int headPairs) =>
        ((long)RowOf(row, arguments.GroupSize) * arguments.QueryStride) + (HeadOf(row, arguments.GroupSize) * headPairs);

    private long IndexOf(int row, in AttentionMassArguments arguments) =>
        ((long)RowOf(row, arguments.GroupSize) * (arguments.KeyHeads * arguments.GroupSize)) + HeadOf(row, arguments.GroupSize);

    private int RowOf(int row, int groupSize) => FirstRow + (Math.Min(row, (Count * groupSize) - 1) % Count);
}
