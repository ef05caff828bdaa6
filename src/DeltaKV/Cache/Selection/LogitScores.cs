using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>
/// Scores of an observation layer from what its attention left behind: <c>score[r,p] = max_h (logit[r,h,p] - log2 sum_h)</c>, the binary logarithm of a weight, over all query heads, or over those of each key head;
/// heads without history have no say, and a list of their own is that of all others. Counts their leading bits on the way, with which a selection begins.
/// </summary>
/// <remarks>
/// Shapes: logits as <see cref="TokenLogits"/> says, scores <c>[rows, lists, stride]</c>, integers of <see cref="FractionBits"/> bits behind the point, from 2^-127 on: each of their leading values is a
/// sixteenth of an octave, so that weights which hardly differ are told apart by them too, and few tokens are left to choose from. A thread takes four tokens and goes over the heads. Moves 2 bytes per token and query head, mostly from L2, and writes 4 per token: bound by memory, a thirtieth of what reading the keys again would take.
/// </remarks>
internal sealed class LogitScores(Accelerator accelerator)
{
    /// <summary>Bits of a score behind the point.</summary>
    internal const int FractionBits = 25;

    /// <summary>Octaves below a weight of 1 that are told apart.</summary>
    internal const int Octaves = 127;

    private const int Threads = 256;
    private const int PerThread = 4;
    private const int MaxQueryHeads = 256;

    private readonly KernelHandle<Arguments> kernel = new(accelerator, Kernel);

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="top">Rows, bounds, scores; histograms, unless empty, become those of the scores.</param>
    /// <param name="order">What attention read: everything, but for heads without history.</param>
    /// <param name="logits">What it left behind.</param>
    /// <param name="logSumExp">Its softmax denominators.</param>
    /// <param name="lists">1: of all heads together; otherwise one list per key/value head.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="rowCount">Rows.</param>
    internal void Launch(
        AcceleratorStream stream, TopTokensArguments top, TokenOrder order, TokenLogits logits, ArrayView<float> logSumExp, int lists, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shape.QueryHeads, MaxQueryHeads);
        kernel.Launch(
            stream,
            new KernelConfig(new Index3D((top.ScoreStride + (Threads * PerThread) - 1) / (Threads * PerThread), rowCount, lists), new Index3D(Threads, 1, 1)),
            new Arguments { Top = top, Order = order, Logits = logits, LogSumExp = logSumExp, QueryHeads = shape.QueryHeads, KeyHeads = shape.KeyHeads });
    }

    private static void Kernel(Arguments arguments)
    {
        var totals = SharedMemory.Allocate<float>(MaxQueryHeads);
        var histogram = SharedMemory.Allocate<int>(TopCandidates.Buckets);
        var counts = arguments.Top.Histograms.Length > 0;
        for (var i = Group.IdxX; counts && i < TopCandidates.Buckets; i += Threads)
            histogram[i] = 0;
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var row = Grid.IdxY;
        if (arguments.Top.Rows.Positions[row] < 0)
            return;
        var tokens = arguments.Top.TokensOf(arguments.Top.Bounds[arguments.Top.Rows.Sequences[row]]);
        var first = Grid.IdxX * (Threads * PerThread);
        // Where everything is selected nobody looks at scores.
        if (first >= tokens || (counts && tokens <= arguments.Top.Wanted(tokens)))
            return;
        for (var i = Group.IdxX; i < arguments.QueryHeads; i += Threads)
            totals[i] = arguments.LogSumExp[((long)row * arguments.QueryHeads) + i] * Softmax.Log2E;
        Group.Barrier();

        var groupSize = arguments.QueryHeads / arguments.KeyHeads;
        var isOwn = Grid.DimZ > 1 && arguments.Order.ReadsHistory(Grid.IdxZ);
        var firstHead = isOwn ? Grid.IdxZ : 0;
        var endHead = isOwn ? Grid.IdxZ + 1 : arguments.KeyHeads;
        var best = LocalMemory.Allocate<float>(PerThread);
        for (var i = 0; i < Unroll.Full(PerThread); i++)
            best[i] = float.NegativeInfinity;
        for (var head = firstHead; head < endHead; head++)
        {
            if (!arguments.Order.ReadsHistory(head))
                continue;
            var list = ((long)row * arguments.KeyHeads) + head;
            var source = arguments.Logits.Pairs.SubView(list * arguments.Logits.Stride * arguments.Logits.Width);
            if (arguments.Logits.Width == 2)
                TakeTwo(source.Cast<UInt2>(), totals, head * groupSize, groupSize, first, tokens, best);
            else
                TakeAny(source, arguments.Logits.Width, totals, head * groupSize, groupSize, first, tokens, best);
        }

        var target = arguments.Top.Scores.SubView((((long)row * Grid.DimZ) + Grid.IdxZ) * arguments.Top.ScoreStride);
        for (var i = 0; i < Unroll.Full(PerThread); i++)
        {
            var token = first + (i * Threads) + Group.IdxX;
            // A weight is at most 1 but for the rounding of logits.
            var score = (uint)(MathF.Min(MathF.Max(best[i] + Octaves, 0f), Octaves + 0.99f) * (1 << FractionBits));
            if (token < tokens)
            {
                target[token] = score;
                if (counts)
                    Atomic.Add(ref histogram[TopCandidates.BucketOf(score)], 1);
            }
        }

        Group.Barrier();
        var all = arguments.Top.Histograms.SubView((((long)row * Grid.DimZ) + Grid.IdxZ) * TopCandidates.Buckets);
        for (var i = Group.IdxX; counts && i < TopCandidates.Buckets; i += Threads)
        {
            if (histogram[i] > 0)
                Atomic.Add(ref all[i], histogram[i]);
        }
    }

    /// <summary>Groups of three or four heads: one access per token.</summary>
    private static void TakeTwo(ArrayView<UInt2> source, ArrayView<float> totals, int query, int groupSize, int first, int tokens, ArrayView<float> best)
    {
        var (a, b, c) = (totals[query], totals[query + 1], totals[query + 2]);
        // A head that is not there is the one before it.
        var d = totals[query + Math.Min(groupSize - 1, 3)];
        var pairs = LocalMemory.Allocate<UInt2>(PerThread);
        for (var i = 0; i < Unroll.Full(PerThread); i++)
            pairs[i] = source[Math.Min(first + (i * Threads) + Group.IdxX, tokens - 1)];
        for (var i = 0; i < Unroll.Full(PerThread); i++)
            best[i] = MathF.Max(MathF.Max(best[i], Larger(pairs[i].X, a, b)), Larger(pairs[i].Y, c, d));
    }

    private static void TakeAny(ArrayView<uint> source, int width, ArrayView<float> totals, int query, int groupSize, int first, int tokens, ArrayView<float> best)
    {
        for (var pair = 0; pair < width; pair++)
        {
            var a = totals[query + (2 * pair)];
            var b = totals[query + Math.Min((2 * pair) + 1, groupSize - 1)];
            for (var i = 0; i < Unroll.Full(PerThread); i++)
                best[i] = MathF.Max(best[i], Larger(source[((long)Math.Min(first + (i * Threads) + Group.IdxX, tokens - 1) * width) + pair], a, b));
        }
    }

    private static float Larger(uint pair, float even, float odd) => MathF.Max(new Half2(pair).Low - even, new Half2(pair).High - odd);

    private struct Arguments
    {
        public TopTokensArguments Top;
        public TokenOrder Order;
        public TokenLogits Logits;
        public ArrayView<float> LogSumExp;
        public int QueryHeads;
        public int KeyHeads;
    }
}
