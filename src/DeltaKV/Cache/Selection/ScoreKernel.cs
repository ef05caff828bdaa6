using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>
/// What an observation layer thinks of compressed history: <c>score[r,p] = max_h softmax_p(q[r,h] . k[p] / sqrt(d))</c> over all query heads, or over those of each key head; heads without
/// history have no say, and a list of their own is that of all others.
/// </summary>
/// <remarks>
/// Shapes: qkv <c>[rows, (queryHeads + 2 keyHeads) d]</c> bf16; log-sum-exps <c>[rows, queryHeads]</c> from the layer's own attention; scores <c>[rows, lists, stride]</c> fp32, entry i for
/// position <c>codedStart + i</c>. A warp takes tiles of 16 tokens and goes over the heads, keeping the maximum in registers. Reads the keys of the history once more (half of
/// what attention read) and writes 4 bytes per token: bound by memory. Source: OmniKV, ICLR 2025.
/// </remarks>
internal sealed class ScoreKernel<TReader>(Accelerator accelerator) : IScoreKernel<TReader>
    where TReader : unmanaged, IKvReader<TReader>
{
    private const int Warps = 4;

    private readonly KernelOfHeads<Arguments> kernels =
        new(accelerator, Kernel<Heads.Of64>, Kernel<Heads.Of80>, Kernel<Heads.Of96>, Kernel<Heads.Of128>);

    /// <inheritdoc/>
    public void Launch(
        AcceleratorStream stream, DecodeArguments<TReader> decode, ArrayView<float> scores, int scoreStride, int lists, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        var arguments = new Arguments
        {
            Reader = decode.Reader,
            Rows = decode.Rows,
            Order = decode.Order,
            Qkv = decode.Qkv,
            LogSumExp = decode.LogSumExp,
            Scores = scores,
            ScoreStride = scoreStride,
            Lists = lists,
            QueryHeads = shape.QueryHeads,
            KeyHeads = shape.KeyHeads,
            QkvWords = shape.QkvWidth / 2,
            Scale = shape.ScoreScale,
        };
        var groups = Math.Clamp(accelerator.NumMultiprocessors * 8 / rowCount, 1, (scoreStride + (16 * Warps) - 1) / (16 * Warps));
        kernels.Launch(stream, shape.HeadDim, new KernelConfig(new Index3D(groups, rowCount, 1), new Index3D(32 * Warps, 1, 1)), arguments);
    }

    private static void Kernel<THead>(Arguments arguments)
        where THead : struct, IHead
    {
        var row = Grid.IdxY;
        if (arguments.Rows.Positions[row] < 0)
            return;
        var sequence = arguments.Rows.Sequences[row];
        var limits = arguments.Order.Bounds[sequence];
        var tiles = (limits.CodedEnd - limits.CodedStart + 15) >> 4;
        var warp = Group.IdxX >> 5;
        var groupSize = arguments.QueryHeads / arguments.KeyHeads;
        var keys = SharedMemory.Allocate<UInt4>(Warps * 16 * ((THead.Dim / 8) + 1)).SubView(warp * 16 * ((THead.Dim / 8) + 1));
        var queries = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        var scores = LocalMemory.Allocate<Float4>(2);

        for (var tile = (Grid.IdxX * Warps) + warp; tile < tiles; tile += Grid.DimX * Warps)
        {
            var position = limits.CodedStart + (tile << 4) + (Warp.LaneIdx & 15);
            position = position < limits.CodedEnd ? position : -1;
            var best = new Float4(0f, 0f, 0f, 0f);
            var ofAll = best;
            for (var head = 0; head < arguments.KeyHeads; head++)
            {
                if (!arguments.Order.ReadsHistory(head))
                    continue;
                TReader.Load<THead>(arguments.Reader, sequence, head, false, true, position, keys);
                Warp.Barrier();
                for (var first = 0; first < groupSize; first += 8)
                {
                    var query = (head * groupSize) + Math.Min(first + (Warp.LaneIdx >> 2), groupSize - 1);
                    WarpAttention.LoadQueries<THead>(arguments.Qkv.SubView(((long)row * arguments.QkvWords) + (query * (THead.Dim / 2))), queries);
                    scores[0] = new Float4(0f, 0f, 0f, 0f);
                    scores[1] = new Float4(0f, 0f, 0f, 0f);
                    WarpAttention.Scores<THead>(queries, keys, scores);
                    var total = arguments.LogSumExp[((long)row * arguments.QueryHeads) + query] * Softmax.Log2E;
                    best = new Float4(
                        MathF.Max(best.X, FastMath.Ex2((scores[0].X * arguments.Scale) - total)),
                        MathF.Max(best.Y, FastMath.Ex2((scores[0].Y * arguments.Scale) - total)),
                        MathF.Max(best.Z, FastMath.Ex2((scores[1].X * arguments.Scale) - total)),
                        MathF.Max(best.W, FastMath.Ex2((scores[1].Y * arguments.Scale) - total)));
                }

                Warp.Barrier();
                if (arguments.Lists > 1)
                {
                    Store(arguments, (row * arguments.Lists) + head, limits, tile, best);
                    ofAll = new Float4(MathF.Max(ofAll.X, best.X), MathF.Max(ofAll.Y, best.Y), MathF.Max(ofAll.Z, best.Z), MathF.Max(ofAll.W, best.W));
                    best = new Float4(0f, 0f, 0f, 0f);
                }
            }

            if (arguments.Lists == 1)
                Store(arguments, row, limits, tile, best);
            for (var head = 0; head < arguments.Lists && arguments.Order.WindowHeads != 0; head++)
            {
                if (arguments.Lists > 1 && !arguments.Order.ReadsHistory(head))
                    Store(arguments, (row * arguments.Lists) + head, limits, tile, ofAll);
            }
        }
    }

    /// <summary>Takes the maximum over the eight lanes that share columns, one query each, and writes it.</summary>
    private static void Store(Arguments arguments, int list, ReadBounds limits, int tile, Float4 best)
    {
        for (var mask = 4; mask < 32; mask <<= 1)
        {
            best = new Float4(
                MathF.Max(best.X, Warp.ShuffleXor(best.X, mask)),
                MathF.Max(best.Y, Warp.ShuffleXor(best.Y, mask)),
                MathF.Max(best.Z, Warp.ShuffleXor(best.Z, mask)),
                MathF.Max(best.W, Warp.ShuffleXor(best.W, mask)));
        }

        if (Warp.LaneIdx >= 4)
            return;
        var index = (tile << 4) + (2 * Warp.LaneIdx);
        var count = limits.CodedEnd - limits.CodedStart;
        var target = arguments.Scores.SubView((long)list * arguments.ScoreStride);
        if (index < count)
            target[index] = best.X;
        if (index + 1 < count)
            target[index + 1] = best.Y;
        if (index + 8 < count)
            target[index + 8] = best.Z;
        if (index + 9 < count)
            target[index + 9] = best.W;
    }

    private struct Arguments
    {
        public TReader Reader;
        public TokenRows Rows;
        public TokenOrder Order;
        public ArrayView<uint> Qkv;
        public ArrayView<float> LogSumExp;
        public ArrayView<float> Scores;
        public int ScoreStride;
        public int Lists;
        public int QueryHeads;
        public int KeyHeads;
        public int QkvWords;
        public float Scale;
    }
}
