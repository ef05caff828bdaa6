using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>The nearest references of every token of a flush: the four largest <c>2 x.r - |r|^2</c> over references at or before the token. Exact; long searches are left to <see cref="CoarseSearchKernel"/>.</summary>
/// <remarks>
/// Shapes: x <c>[64 tokens, width]</c>, r <c>[references, width]</c>, halves (quantised references are widened on the way). One group of four warps per (split of the
/// references, search group, layer): tiles of 64 x 64 scores, width in slices of 64 through shared memory, m16n8k16, fp32 sums; a warp has 16 tokens. The best
/// four stay in registers, per lane until the end, then the four lanes of a row merge theirs; so no score is written to memory. Encoding merges the splits.
/// Operations: <c>2 * tokens * references * width</c> on the tensor cores; moves <c>4 * width</c> bytes per 64 x 64 scores and row from L2.
/// Source: DeltaKV, section 3.2 (the ranking); the fusion is ours.
/// </remarks>
internal sealed class SearchKernel(Accelerator accelerator)
{
    private const int Warps = 4;
    private const int Slice = 64;

    // 16-byte pieces of a slice's row in shared memory, padded as in PaddedTile.
    private const int Pitch = (Slice / 8) + 1;

    private readonly KernelHandle<FlushView> search = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, FlushView flush, int groupCount)
    {
        if (groupCount == 0)
            return;
        search.Launch(stream, new KernelConfig(new Index3D(flush.Splits, groupCount, flush.Pool.Layers), new Index3D(32 * Warps, 1, 1)), flush);
    }

    private static void Kernel(FlushView flush)
    {
        var layer = Grid.IdxZ;
        var code = flush.Pool.LayerCodes[layer];
        var group = flush.Groups[Grid.IdxY];
        var item = flush.Items[group.FirstItem];
        if (code.Neighbours <= 0 || flush.IsLong(item))
            return;
        var offset = item.Position - flush.Origin;
        var last = offset + (16 * group.ItemCount) - 1;
        var references = (last / flush.Stride) + 1;
        var warp = Group.IdxX >> 5;
        var queries = SharedMemory.Allocate<UInt4>(64 * Pitch);
        var tile = SharedMemory.Allocate<UInt4>(64 * Pitch);

        var sums = LocalMemory.Allocate<Float4>(8);
        var upper = LocalMemory.Allocate<Candidate>(4);
        var lower = LocalMemory.Allocate<Candidate>(4);
        NearestList.Clear(upper);
        NearestList.Clear(lower);
        offset += (16 * warp) + (Warp.LaneIdx >> 2);
        var rows = flush.RowOf(layer, group.FirstItem, 0);

        for (var first = Grid.IdxX * 64; first < references; first += flush.Splits * 64)
        {
            for (var n = 0; n < Unroll.Full(8); n++)
                sums[n] = new Float4(0f, 0f, 0f, 0f);
            var places = LocalMemory.Allocate<int>(4);
            for (var i = 0; i < Unroll.Full(4); i++)
                places[i] = flush.Pool.PlaceOf(code, item.Sequence, Math.Min(first + (Group.IdxX >> 3) + (16 * i), references - 1));
            var next = LocalMemory.Allocate<UInt4>(8);
            LoadSlice(flush, rows, 16 * group.ItemCount, places, 0, next);
            for (var slice = 0; slice < flush.Width; slice += Slice)
            {
                Group.Barrier();
                for (var i = 0; i < Unroll.Full(4); i++)
                {
                    var at = (((Group.IdxX >> 3) + (16 * i)) * Pitch) + (Group.IdxX & 7);
                    queries[at] = next[2 * i];
                    tile[at] = next[(2 * i) + 1];
                }

                Group.Barrier();
                // On its way while this one is used.
                if (slice + Slice < flush.Width)
                    LoadSlice(flush, rows, 16 * group.ItemCount, places, slice + Slice, next);
                if (warp < group.ItemCount)
                    Multiply(queries, tile, warp, sums);
            }

            if (warp < group.ItemCount)
                Offer(flush, code, item.Sequence, first, offset, sums, upper, lower);
        }

        NearestList.MergeXor(upper, 1);
        NearestList.MergeXor(upper, 2);
        NearestList.MergeXor(lower, 1);
        NearestList.MergeXor(lower, 2);
        if (warp < group.ItemCount && (Warp.LaneIdx & 3) == 0)
        {
            var row = rows + (16 * warp) + (Warp.LaneIdx >> 2);
            for (var i = 0; i < Unroll.Full(4); i++)
            {
                flush.Candidates[(((row * flush.Splits) + Grid.IdxX) * 4) + i] = upper[i];
                flush.Candidates[((((row + 8) * flush.Splits) + Grid.IdxX) * 4) + i] = lower[i];
            }
        }
    }

    /// <summary>Loads the thread's pieces of a slice: of four tokens and of four references.</summary>
    private static void LoadSlice(FlushView flush, int rows, int tokens, ArrayView<int> places, int slice, ArrayView<UInt4> next)
    {
        var parts = 2 * flush.Pool.KeyHeads;
        var element = slice + (8 * (Group.IdxX & 7));
        for (var i = 0; i < Unroll.Full(4); i++)
        {
            var query = new UInt4(0, 0, 0, 0);
            var near = new UInt4(0, 0, 0, 0);
            // A width that is no multiple of the slice ends in zeros.
            if (element < flush.Width)
            {
                // Rows past the end repeat the last one; their scores are not used.
                var source = rows + Math.Min((Group.IdxX >> 3) + (16 * i), tokens - 1);
                query = flush.Rows.Cast<UInt4>()[((long)source * (flush.Width / 8)) + (element >> 3)];
                near = ReferenceRow.LoadEight(
                    flush.Pool.References, (long)places[i] * flush.Pool.ReferenceWords, flush.Pool.ReferenceBits, parts, flush.HeadDim, element / flush.HeadDim, element % flush.HeadDim);
            }

            next[2 * i] = query;
            next[(2 * i) + 1] = near;
        }
    }

    private static void Multiply(ArrayView<UInt4> queries, ArrayView<UInt4> tile, int warp, ArrayView<Float4> sums)
    {
        var a0 = (16 * warp * Pitch) + PaddedTile.LeftOperand(Pitch);
        var b0 = PaddedTile.RightOperands(Pitch);
        for (var step = 0; step < Unroll.Full(Slice / 16); step++)
        {
            var a = LdMatrix.X4(ref queries[a0 + (2 * step)]);
            for (var n = 0; n < Unroll.Full(4); n++)
            {
                var b = LdMatrix.X4(ref tile[b0 + (16 * n * Pitch) + (2 * step)]);
                sums[2 * n] = Mma.Half(a, new UInt2(b.X, b.Y), sums[2 * n]);
                sums[(2 * n) + 1] = Mma.Half(a, new UInt2(b.Z, b.W), sums[(2 * n) + 1]);
            }
        }
    }

    private static void Offer(
        FlushView flush, LayerCode code, int sequence, int first, int offset, ArrayView<Float4> sums, ArrayView<Candidate> upper, ArrayView<Candidate> lower)
    {
        var latestUpper = offset / flush.Stride;
        var latestLower = (offset + 8) / flush.Stride;
        for (var n = 0; n < Unroll.Full(8); n++)
        {
            var ordinal = first + (8 * n) + (2 * (Warp.LaneIdx & 3));
            var norm0 = 0f;
            var norm1 = 0f;
            // Both lie in one block of 16.
            if (ordinal <= latestLower)
            {
                var row = flush.Pool.PlaceOf(code, sequence, ordinal);
                norm0 = flush.Pool.ReferenceNorms[row];
                norm1 = flush.Pool.ReferenceNorms[row + 1];
            }

            Offer(upper, (2f * sums[n].X) - norm0, ordinal, latestUpper);
            Offer(upper, (2f * sums[n].Y) - norm1, ordinal + 1, latestUpper);
            Offer(lower, (2f * sums[n].Z) - norm0, ordinal, latestLower);
            Offer(lower, (2f * sums[n].W) - norm1, ordinal + 1, latestLower);
        }
    }

    private static void Offer(ArrayView<Candidate> list, float score, int ordinal, int latest)
    {
        if (ordinal <= latest && NearestList.Accepts(list, score, ordinal))
            NearestList.Insert(list, score, ordinal);
    }
}
