using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>
/// What an observation layer thinks of its codes: <c>score[r,p] = max_h softmax_p(q[r,h] . k[p] / sqrt(d))</c> over all query heads, or over those of each key head, given the softmax
/// denominators. Heads without history have no say; a list of their own is that of all others.
/// </summary>
/// <remarks>
/// The keys' half of <see cref="LatentDecodeKernel"/>, warp by warp: no barrier after the tables. Groups of different heads meet in an atomic maximum (of bits: weights are not
/// negative), so the result does not depend on their order. Operations: those of the keys. No logits are stored: they would be 128 bytes per token and sequence.
/// </remarks>
internal static class LatentScoreKernel
{
    /// <summary>Threads of a group of <see cref="Clear"/>, and entries that each clears.</summary>
    internal const int ClearThreads = 256;

    /// <summary>The scores of the coded tokens of every row become zero.</summary>
    internal static void Clear(LatentArguments arguments)
    {
        GridDependency.Wait();
        var row = Grid.IdxY;
        if (arguments.Rows.Positions[row] < 0)
            return;
        var limits = arguments.Order.Bounds[arguments.Rows.Sequences[row]];
        var token = (Grid.IdxX * ClearThreads) + Group.IdxX;
        if (token < limits.CodedEnd - limits.CodedStart)
            arguments.Scores[((((long)row * Grid.DimZ) + Grid.IdxZ) * arguments.ScoreStride) + token] = 0;
    }

    internal static void Kernel<THead, TSteps, TScales, TReferences>(LatentArguments arguments)
        where THead : struct, IHead
        where TSteps : struct, LatentDecodeKernel.IValueSteps
        where TScales : struct, LatentDecodeKernel.IScales
        where TReferences : struct, LatentDecodeKernel.IReferences
    {
        var queryGroup = new QueryGroup(arguments.QueryHeads, arguments.KeyHeads);
        var (head, firstQuery, queryCount) = (queryGroup.KeyHead, queryGroup.First, queryGroup.Count);
        var row = Grid.IdxZ;
        if (!arguments.Order.ReadsHistory(head))
            return;
        var plan = arguments.Plans[(arguments.Layer * arguments.KeyHeads) + head];
        var tables = LatentShared.Allocate<THead, TReferences>(arguments.UpPieces);
        LatentDecodeKernel.Prepare<THead>(arguments, plan, head, tables);
        GridDependency.Wait();

        var sequence = arguments.Rows.Positions[row] < 0 ? -1 : arguments.Rows.Sequences[row];
        var tokens = new TokenRun(arguments.Order, sequence, head);
        var tiles = (tokens.Count + LatentDecodeKernel.TileTokens - 1) / LatentDecodeKernel.TileTokens;
        if (Grid.IdxX < tiles)
        {
            KeyTurns.LoadQueries<THead>(arguments, row, firstQuery, queryCount, tables.Queries);
            LatentTile.Copy(arguments, plan, tokens, Grid.IdxX, tables, 0);
        }

        CpAsync.WaitAll();
        Group.Barrier();
        var totals = new Float2(Total(arguments, row, firstQuery, queryCount, 0), Total(arguments, row, firstQuery, queryCount, 1));
        var target = arguments.Scores.SubView((((long)row * arguments.Lists) + (arguments.Lists == 1 ? 0 : head)) * arguments.ScoreStride);
        var scores = LocalMemory.Allocate<Float4>(2);
        var stage = 0;
        for (var tile = Grid.IdxX; tile < tiles; tile += Grid.DimX)
        {
            var next = tile + Grid.DimX;
            var nextStage = arguments.Stages > 1 ? (LatentDecodeKernel.TileTokens * 4 * arguments.TokenPieces) - stage : 0;
            if (arguments.Stages > 1 && next < tiles)
                LatentTile.Copy(arguments, plan, tokens, next, tables, nextStage);
            var first = (tile * LatentDecodeKernel.TileTokens) + (Group.IdxX & ~31);
            if (first < tokens.Count)
            {
                if (TReferences.Bits > 0)
                {
                    LatentReferences.Find<THead, TReferences>(arguments, plan, sequence, head, tables, stage);
                    Warp.Barrier();
                }

                LatentKeys.Score<THead, TSteps, TScales, TReferences>(arguments, plan, tokens, first, tables, stage, scores);
                Store(arguments, row, scores, totals, target, first, tokens.Count);
            }

            // All lanes have left the tile, and the references' rows.
            Warp.Barrier();
            if (arguments.Stages == 1 && next < tiles)
                LatentTile.Copy(arguments, plan, tokens, next, tables, 0);
            CpAsync.WaitAll();
            Warp.Barrier();
            stage = nextStage;
        }

        GridDependency.LaunchDependents();
    }

    /// <summary>The softmax denominator of one of the lane's two heads, binary logarithm.</summary>
    private static float Total(in LatentArguments arguments, int row, int firstQuery, int queryCount, int which)
    {
        var query = firstQuery + Math.Min((2 * (Warp.LaneIdx & 3)) + which, queryCount - 1);
        return arguments.LogSumExp[((long)row * arguments.QueryHeads) + query] * Softmax.Log2E;
    }

    /// <summary>Lane t of a group writes token 8 t + g: the largest weight over the heads.</summary>
    private static void Store(
        in LatentArguments arguments, int row, ArrayView<Float4> scores, Float2 totals, ArrayView<uint> target, int first, int count)
    {
        var scale = arguments.Scale;
        var best = new Float4(
            Larger(scores[0].X, scores[0].Y, scale, totals), Larger(scores[0].Z, scores[0].W, scale, totals),
            Larger(scores[1].X, scores[1].Y, scale, totals), Larger(scores[1].Z, scores[1].W, scale, totals));
        for (var mask = 1; mask < 4; mask <<= 1)
        {
            best = new Float4(
                MathF.Max(best.X, Warp.ShuffleXor(best.X, mask)), MathF.Max(best.Y, Warp.ShuffleXor(best.Y, mask)),
                MathF.Max(best.Z, Warp.ShuffleXor(best.Z, mask)), MathF.Max(best.W, Warp.ShuffleXor(best.W, mask)));
        }

        var lane = Warp.LaneIdx & 3;
        var own = lane == 0 ? best.X : lane == 1 ? best.Y : lane == 2 ? best.Z : best.W;
        var token = first + (8 * lane) + (Warp.LaneIdx >> 2);
        if (token >= count)
            return;
        Atomic.Max(ref target[token], BitConverter.SingleToUInt32Bits(own));
        for (var list = 0; list < arguments.Lists && arguments.Lists > 1 && arguments.Order.WindowHeads != 0; list++)
        {
            if (!arguments.Order.ReadsHistory(list))
                Atomic.Max(ref arguments.Scores[((((long)row * arguments.Lists) + list) * arguments.ScoreStride) + token], BitConverter.SingleToUInt32Bits(own));
        }
    }

    private static float Larger(float even, float odd, float scale, Float2 totals) =>
        MathF.Max(FastMath.Ex2(FastMath.Fma(even, scale, -totals.X)), FastMath.Ex2(FastMath.Fma(odd, scale, -totals.Y)));
}
