using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Quest;

/// <summary>
/// The most that a token of a page could score: <c>bound[r,k,p] = max_h sum_c max(q[r,h,c] largest[p,c], q[r,h,c] smallest[p,c])</c>, h over the query heads of key head k.
/// </summary>
/// <remarks>
/// A product after all: positive elements of q meet the largest keys, negative ones the smallest, <c>q+ . largest + q- . smallest</c>, so two m16n8k16 per 16 channels of 8 pages. Shapes: bounds as
/// in <see cref="PageBounds"/>; scores <c>[rows, keyHeads, stride]</c>, as keys whose bits order like the numbers. A warp takes tiles of 16 pages, 256 tokens, of one key head.
/// Moves 4 d bytes per page and key head, a sixteenth of what attention to its tokens moves: bound by memory. Source: Tang et al., Quest, ICML 2024.
/// </remarks>
internal sealed class PageScoreKernel(Accelerator accelerator)
{
    private const int Warps = 4;

    private readonly KernelOfHeads<Arguments> kernels =
        new(accelerator, Kernel<Heads.Of64>, Kernel<Heads.Of80>, Kernel<Heads.Of96>, Kernel<Heads.Of128>);

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="qkv">Rotated q first in each row.</param>
    /// <param name="rows">Sequence and position of every row.</param>
    /// <param name="pages">The layer's bounds.</param>
    /// <param name="bounds">Tokens of whole pages by sequence.</param>
    /// <param name="scores">Where keys go.</param>
    /// <param name="scoreStride">Entries of a list of them.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="rowCount">Rows.</param>
    internal void Launch(
        AcceleratorStream stream,
        ArrayView<BFloat16> qkv,
        TokenRows rows,
        KvBlocks<BFloat16> pages,
        ArrayView<ReadBounds> bounds,
        ArrayView<float> scores,
        int scoreStride,
        AttentionShape shape,
        int rowCount)
    {
        if (rowCount == 0)
            return;
        var arguments = new Arguments
        {
            Pages = pages.Eights(),
            Rows = rows,
            Bounds = bounds,
            Qkv = qkv.Cast<uint>(),
            Scores = scores.Cast<uint>(),
            ScoreStride = scoreStride,
            GroupSize = shape.GroupSize,
            KeyHeads = shape.KeyHeads,
            QkvWords = shape.QkvWidth / 2,
        };
        var groups = Math.Clamp(accelerator.NumMultiprocessors * 8 / (rowCount * shape.KeyHeads), 1, (scoreStride + (16 * Warps) - 1) / (16 * Warps));
        kernels.Launch(stream, shape.HeadDim, new KernelConfig(new Index3D(groups, shape.KeyHeads, rowCount), new Index3D(32 * Warps, 1, 1)), arguments);
    }

    private static void Kernel<THead>(Arguments arguments)
        where THead : struct, IHead
    {
        var row = Grid.IdxZ;
        var head = Grid.IdxY;
        if (arguments.Rows.Positions[row] < 0)
            return;
        var sequence = arguments.Rows.Sequences[row];
        var pages = arguments.Bounds[sequence].CodedEnd >> PageBounds.PageShift;
        var warp = Group.IdxX >> 5;
        var tileChunks = 16 * ((THead.Dim / 8) + 1);
        var largest = SharedMemory.Allocate<UInt4>(Warps * 2 * 16 * ((THead.Dim / 8) + 1)).SubView(warp * 2 * tileChunks);
        var smallest = largest.SubView(tileChunks);
        var positive = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        var negative = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        var scores = LocalMemory.Allocate<Float4>(2);

        for (var tile = (Grid.IdxX * Warps) + warp; tile << 4 < pages; tile += Grid.DimX * Warps)
        {
            var page = (tile << 4) + (Warp.LaneIdx & 15);
            page = page < pages ? page : -1;
            RawTile.Load<THead>(arguments.Pages, arguments.KeyHeads, sequence, head, false, page, largest);
            RawTile.Load<THead>(arguments.Pages, arguments.KeyHeads, sequence, head, true, page, smallest);
            Warp.Barrier();
            var best = new Float4(float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity);
            for (var first = 0; first < arguments.GroupSize; first += 8)
            {
                var query = (head * arguments.GroupSize) + Math.Min(first + (Warp.LaneIdx >> 2), arguments.GroupSize - 1);
                LoadQueries<THead>(positive, negative, arguments.Qkv.SubView(((long)row * arguments.QkvWords) + (query * (THead.Dim / 2)) + (Warp.LaneIdx & 3)));
                scores[0] = new Float4(0f, 0f, 0f, 0f);
                scores[1] = new Float4(0f, 0f, 0f, 0f);
                WarpAttention.Scores<THead>(positive, largest, scores);
                WarpAttention.Scores<THead>(negative, smallest, scores);
                best = Max(best, new Float4(scores[0].X, scores[0].Y, scores[1].X, scores[1].Y));
            }

            Warp.Barrier();
            Store(arguments, ((long)row * arguments.KeyHeads) + head, tile << 4, pages, best);
        }
    }

    /// <summary>Takes the maximum over the eight lanes that share columns, one query each, and writes it.</summary>
    private static void Store(Arguments arguments, long list, int firstPage, int pages, Float4 best)
    {
        for (var mask = 4; mask < 32; mask <<= 1)
        {
            best = Max(best, new Float4(
                Warp.ShuffleXor(best.X, mask), Warp.ShuffleXor(best.Y, mask), Warp.ShuffleXor(best.Z, mask), Warp.ShuffleXor(best.W, mask)));
        }

        if (Warp.LaneIdx >= 4)
            return;
        var page = firstPage + (2 * Warp.LaneIdx);
        var target = arguments.Scores.SubView(list * arguments.ScoreStride);
        if (page < pages)
            target[page] = Key(best.X);
        if (page + 1 < pages)
            target[page + 1] = Key(best.Y);
        if (page + 8 < pages)
            target[page + 8] = Key(best.Z);
        if (page + 9 < pages)
            target[page + 9] = Key(best.W);
    }

    /// <summary>Bits that order as numbers do.</summary>
    private static uint Key(float score)
    {
        var bits = BitConverter.SingleToUInt32Bits(score);
        return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    }

    private static void LoadQueries<THead>(ArrayView<UInt4> positive, ArrayView<UInt4> negative, ArrayView<uint> source)
        where THead : struct, IHead
    {
        for (var step = 0; step < Unroll.Full(THead.Dim / 16); step++)
        {
            var low = source[8 * step];
            var high = source[(8 * step) + 4];
            positive[step] = new UInt4(low & ~Negative(low), 0, high & ~Negative(high), 0);
            negative[step] = new UInt4(low & Negative(low), 0, high & Negative(high), 0);
        }
    }

    /// <summary>All bits of the halves of a pair whose sign is set.</summary>
    private static uint Negative(uint pair) => ((pair >> 15) & 0x00010001u) * 0xffffu;

    private static Float4 Max(Float4 a, Float4 b) => new(MathF.Max(a.X, b.X), MathF.Max(a.Y, b.Y), MathF.Max(a.Z, b.Z), MathF.Max(a.W, b.W));

    private struct Arguments
    {
        public KvBlocks<BFloat16x8> Pages;
        public TokenRows Rows;
        public ArrayView<ReadBounds> Bounds;
        public ArrayView<uint> Qkv;
        public ArrayView<uint> Scores;
        public int ScoreStride;
        public int GroupSize;
        public int KeyHeads;
        public int QkvWords;
    }
}
