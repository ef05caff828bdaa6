using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>
/// How much attention every stored token receives from some queries: <c>mass[h,p] = sum_g w[g] sum_i softmax_p(q[i,g] . k[p] / sqrt(d))</c>, or the largest of those terms,
/// causal, g over the query heads that share key head h, in fp32.
/// </summary>
/// <remarks>
/// Shapes: queries <c>[n, queryHeads, d]</c> bf16 after RoPE, keys in paged blocks of 64. Two passes over the keys on tensor cores: the first gives every query its softmax
/// denominator (a group per 64 queries and key head walks the keys), the second the sums (a group per block of keys and key head walks the queries, so that every sum is
/// added in one order). Does 4 d operations per query, head and key: with the last 32 queries of a prompt a hundredth of its prefill, with all of them as much as its attention.
/// Sources: Li et al., SnapKV, 2024; Zhang et al., H2O, 2023.
/// </remarks>
internal sealed class AttentionMassKernel
{
    private const int Threads = 128;
    private const int TileRows = 64;
    private const int BlockTokens = KvBlockLayout.Size;

    /// <summary>Groups that share the keys of a single query, in both passes: a number that must not depend on lengths.</summary>
    internal const int SingleSplits = 16;

    private readonly AttentionShape shape;
    private readonly KernelHandle<AttentionMassArguments> logSumExp;
    private readonly KernelHandle<AttentionMassArguments> mass;
    private readonly int sharedChunks;

    /// <param name="accelerator">Where it runs.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="isMax">Whether the largest term counts instead of the sum.</param>
    internal AttentionMassKernel(Accelerator accelerator, AttentionShape shape, bool isMax = false)
    {
        this.shape = shape;
        (logSumExp, mass, sharedChunks) = shape.HeadDim switch
        {
            64 => Select<Heads.Of64>(accelerator, isMax),
            80 => Select<Heads.Of80>(accelerator, isMax),
            96 => Select<Heads.Of96>(accelerator, isMax),
            _ => Select<Heads.Of128>(accelerator, isMax),
        };
    }

    /// <summary>Sums over the queries of one sequence.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="arguments">Everything but the shape.</param>
    /// <param name="blocks">Blocks of keys that the sequence holds.</param>
    internal void Launch(AcceleratorStream stream, AttentionMassArguments arguments, int blocks)
    {
        var tiles = ((arguments.Count * shape.GroupSize) + TileRows - 1) / TileRows;
        arguments.Splits = 1;
        Launch(stream, arguments, new Index3D(tiles, shape.KeyHeads, 1), new Index3D(blocks, shape.KeyHeads, 1));
    }

    /// <summary>Adds single queries of many sequences to their marks; nothing about the launch depends on the sequences, so it may be captured.</summary>
    internal void LaunchSingle(AcceleratorStream stream, AttentionMassArguments arguments, int rows)
    {
        if (rows == 0)
            return;
        arguments.Count = 0;
        arguments.Splits = SingleSplits;
        Launch(stream, arguments, new Index3D(SingleSplits, shape.KeyHeads, rows), new Index3D(SingleSplits, shape.KeyHeads, rows));
    }

    private void Launch(AcceleratorStream stream, AttentionMassArguments arguments, Index3D first, Index3D second)
    {
        arguments.KeyHeads = shape.KeyHeads;
        arguments.GroupSize = shape.GroupSize;
        arguments.Scale = shape.ScoreScale;
        var shared = SharedMemoryConfig.RequestDynamic<UInt4>(sharedChunks);
        logSumExp.Launch(stream, new KernelConfig(first, new Index3D(Threads, 1, 1), shared), arguments);
        mass.Launch(stream, new KernelConfig(second, new Index3D(Threads, 1, 1), shared), arguments);
    }

    private static (KernelHandle<AttentionMassArguments> LogSumExp, KernelHandle<AttentionMassArguments> Mass, int SharedChunks) Select<THead>(
        Accelerator accelerator, bool isMax)
        where THead : struct, IHead =>
        (new(accelerator, LogSumExp<THead>), isMax ? new(accelerator, Mass<THead, Largest>) : new(accelerator, Mass<THead, Sum>), HeadTile.Chunks<THead>());

    private static void LogSumExp<THead>(AttentionMassArguments arguments)
        where THead : struct, IHead
    {
        var keys = SharedMemory.GetDynamic<UInt4>();
        var queries = QueryRun.Of(arguments);
        var start = arguments.Cache.Starts[queries.Sequence];
        var length = queries.FirstPosition + queries.Count;
        // Many queries share the grid among them, a single one its keys.
        var split = arguments.Count > 0 ? 0 : Grid.IdxX;
        var row = ((arguments.Count > 0 ? Grid.IdxX : 0) * TileRows) + (Group.IdxX >> 5 << 4) + (Warp.LaneIdx >> 2);
        var upper = queries.PositionOf(row, arguments.GroupSize);
        var lower = queries.PositionOf(row + 8, arguments.GroupSize);
        var q = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        queries.Load<THead>(arguments, row, q);
        var scores = LocalMemory.Allocate<Float4>(BlockTokens / 8);
        var largest = new Float2(float.NegativeInfinity, float.NegativeInfinity);
        var total = default(Float2);
        // The whole group walks together; a padding row has no keys.
        for (var block = (start >> KvBlockLayout.Shift) + split; block << KvBlockLayout.Shift < length; block += arguments.Splits)
        {
            LoadKeys<THead>(arguments, queries.Sequence, block, length, keys);
            PrefillAttentionKernel.Score<THead>(keys, q, scores);
            var first = start - (block << KvBlockLayout.Shift);
            var max = largest;
            for (var j = 0; j < Unroll.Full(BlockTokens / 8); j++)
            {
                scores[j] = Masked(scores[j], arguments.Scale, 8 * j, first, upper - (block << KvBlockLayout.Shift), lower - (block << KvBlockLayout.Shift));
                max = new Float2(MathF.Max(max.X, MathF.Max(scores[j].X, scores[j].Y)), MathF.Max(max.Y, MathF.Max(scores[j].Z, scores[j].W)));
            }

            max = new Float2(Softmax.RowMax(max.X), Softmax.RowMax(max.Y));
            var sum = new Float2(total.X * Weight(largest.X, max.X), total.Y * Weight(largest.Y, max.Y));
            for (var j = 0; j < Unroll.Full(BlockTokens / 8); j++)
            {
                sum = new Float2(
                    sum.X + Weight(scores[j].X, max.X) + Weight(scores[j].Y, max.X),
                    sum.Y + Weight(scores[j].Z, max.Y) + Weight(scores[j].W, max.Y));
            }

            (largest, total) = (max, sum);
        }

        var above = Softmax.RowSum(total.X);
        var below = Softmax.RowSum(total.Y);
        if ((Warp.LaneIdx & 3) == 0)
        {
            queries.StoreLogSumExp(arguments, row, split, above > 0f ? largest.X + FastMath.Lg2(above) : float.NegativeInfinity);
            queries.StoreLogSumExp(arguments, row + 8, split, below > 0f ? largest.Y + FastMath.Lg2(below) : float.NegativeInfinity);
        }
    }

    private static void Mass<THead, TReduction>(AttentionMassArguments arguments)
        where THead : struct, IHead
        where TReduction : struct, IReduction
    {
        var keys = SharedMemory.GetDynamic<UInt4>();
        var sums = SharedMemory.Allocate<float>(4 * BlockTokens);
        var queries = QueryRun.Of(arguments);
        var start = arguments.Cache.Starts[queries.Sequence];
        var length = queries.FirstPosition + queries.Count;
        var warp = Group.IdxX >> 5;
        var tiles = ((queries.Count * arguments.GroupSize) + TileRows - 1) / TileRows;
        var q = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        var scores = LocalMemory.Allocate<Float4>(BlockTokens / 8);
        var columns = LocalMemory.Allocate<Float2>(BlockTokens / 8);
        for (var block = (start >> KvBlockLayout.Shift) + Grid.IdxX; block << KvBlockLayout.Shift < length; block += Grid.DimX)
        {
            var firstSlot = block << KvBlockLayout.Shift;
            LoadKeys<THead>(arguments, queries.Sequence, block, length, keys);
            for (var j = 0; j < Unroll.Full(BlockTokens / 8); j++)
                columns[j] = default;
            for (var tile = 0; tile < tiles; tile++)
            {
                var row = (tile * TileRows) + (warp << 4) + (Warp.LaneIdx >> 2);
                queries.Load<THead>(arguments, row, q);
                PrefillAttentionKernel.Score<THead>(keys, q, scores);
                var upper = queries.PositionOf(row, arguments.GroupSize) - firstSlot;
                var lower = queries.PositionOf(row + 8, arguments.GroupSize) - firstSlot;
                var total = new Float2(queries.LogSumExpOf(arguments, row), queries.LogSumExpOf(arguments, row + 8));
                var weight = new Float2(queries.WeightOf(arguments, row), queries.WeightOf(arguments, row + 8));
                for (var j = 0; j < Unroll.Full(BlockTokens / 8); j++)
                {
                    var score = Masked(scores[j], arguments.Scale, 8 * j, start - firstSlot, upper, lower);
                    columns[j] = new Float2(
                        TReduction.Of(columns[j].X, TReduction.Of(weight.X * FastMath.Ex2(score.X - total.X), weight.Y * FastMath.Ex2(score.Z - total.Y))),
                        TReduction.Of(columns[j].Y, TReduction.Of(weight.X * FastMath.Ex2(score.Y - total.X), weight.Y * FastMath.Ex2(score.W - total.Y))));
                }
            }

            for (var j = 0; j < Unroll.Full(BlockTokens / 8); j++)
            {
                var column = columns[j];
                for (var mask = 4; mask < 32; mask <<= 1)
                    column = new Float2(TReduction.Of(column.X, Warp.ShuffleXor(column.X, mask)), TReduction.Of(column.Y, Warp.ShuffleXor(column.Y, mask)));
                if (Warp.LaneIdx < 4)
                {
                    sums[(warp * BlockTokens) + (8 * j) + (2 * Warp.LaneIdx)] = column.X;
                    sums[(warp * BlockTokens) + (8 * j) + (2 * Warp.LaneIdx) + 1] = column.Y;
                }
            }

            Group.Barrier();
            if (Group.IdxX < BlockTokens)
            {
                var sum = TReduction.Of(
                    TReduction.Of(sums[Group.IdxX], sums[BlockTokens + Group.IdxX]),
                    TReduction.Of(sums[(2 * BlockTokens) + Group.IdxX], sums[(3 * BlockTokens) + Group.IdxX]));
                Add<TReduction>(arguments, queries, block, firstSlot + Group.IdxX, start, length, sum);
            }

            Group.Barrier();
        }
    }

    /// <summary>Copies a block of keys of one head to shared memory; all threads see it.</summary>
    private static void LoadKeys<THead>(in AttentionMassArguments arguments, int sequence, int block, int length, ArrayView<UInt4> keys)
        where THead : struct, IHead
    {
        var number = arguments.Cache.Tables[((long)sequence * arguments.Cache.TableStride) + block];
        var source = arguments.Cache.Keys.SubView((((long)number * arguments.KeyHeads) + Grid.IdxY) * (BlockTokens * (THead.Dim / 8)));
        Group.Barrier();
        HeadTile.Load<THead>(keys, source, THead.Dim / 8, Math.Min(length - (block << KvBlockLayout.Shift), BlockTokens));
        CpAsync.Commit();
        CpAsync.WaitAll();
        Group.Barrier();
    }

    /// <summary>Scores of keys between the first and the queries' own, as binary exponents; the others are minus infinity.</summary>
    private static Float4 Masked(Float4 score, float scale, int column, int first, int upper, int lower)
    {
        var key = column + (2 * (Warp.LaneIdx & 3));
        return new Float4(
            key >= first && key <= upper ? score.X * scale : float.NegativeInfinity,
            key + 1 >= first && key + 1 <= upper ? score.Y * scale : float.NegativeInfinity,
            key >= first && key <= lower ? score.Z * scale : float.NegativeInfinity,
            key + 1 >= first && key + 1 <= lower ? score.W * scale : float.NegativeInfinity);
    }

    /// <summary><c>2^(score - largest)</c>; 0 for what is hidden, also while nothing has been seen.</summary>
    internal static float Weight(float score, float largest) => score > float.NegativeInfinity ? FastMath.Ex2(score - largest) : 0f;

    private static void Add<TReduction>(in AttentionMassArguments arguments, QueryRun queries, int block, int slot, int start, int length, float sum)
        where TReduction : struct, IReduction
    {
        if (slot < start || slot >= length)
            return;
        if (arguments.Mass.Length > 0)
        {
            arguments.Mass[((long)Grid.IdxY * arguments.MassStride) + slot - start] = sum;
            return;
        }

        var number = arguments.Cache.Tables[((long)queries.Sequence * arguments.Cache.TableStride) + block];
        var at = KvBlockLayout.RowOf(number, arguments.KeyHeads, Grid.IdxY, slot);
        var fresh = arguments.Count > 0 ? arguments.FreshFrom : queries.FirstPosition;
        arguments.Marks[at] = slot < fresh ? TReduction.Of(arguments.Marks[at], sum) : sum;
    }

    /// <summary>How terms come together. None is negative, so both begin with 0.</summary>
    private interface IReduction
    {
        static abstract float Of(float a, float b);
    }

    private readonly struct Sum : IReduction
    {
        public static float Of(float a, float b) => a + b;
    }

    private readonly struct Largest : IReduction
    {
        public static float Of(float a, float b) => MathF.Max(a, b);
    }
}
