using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>The first level of a long search: who may be near, by sketch. Of every token the four best of each of 16 classes of references at or before it.</summary>
/// <remarks>
/// The exact search on rows of 256 bytes instead of <c>width</c> halves: tiles of 64 x 64 scores <c>2 s(x).s(r) - |s(r)|^2</c>, m16n8k32, integer sums, and no list is ever merged: a class is a split of the references and
/// what one lane sees of it, so its four best are in that lane's registers. Shapes: sketches <c>[layer][item][16][256]</c>, candidates <c>[layer][item][16][splits][4 lanes][4]</c>.
/// Operations: <c>512</c> per token and reference at twice the rate of halves, a <c>width / 128</c>-th of the exact search's time; moves 256 bytes per reference and 64 tokens.
/// </remarks>
internal sealed class CoarseSearchKernel(Accelerator accelerator)
{
    private const int Warps = 4;

    // 16-byte pieces of a sketch in shared memory, padded as in PaddedTile.
    private const int Pitch = Sketch.Pieces + 1;

    private readonly KernelHandle<FlushView> search = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, FlushView flush, int groupCount)
    {
        if (groupCount > 0)
            search.Launch(stream, new KernelConfig(new Index3D(Sketch.Splits, groupCount, flush.Pool.Layers), new Index3D(32 * Warps, 1, 1)), flush);
    }

    private static void Kernel(FlushView flush)
    {
        var layer = Grid.IdxZ;
        var code = flush.Pool.LayerCodes[layer];
        var group = flush.Groups[Grid.IdxY];
        var item = flush.Items[group.FirstItem];
        if (code.Neighbours <= 0 || !flush.IsLong(item))
            return;
        var offset = item.Position - flush.Origin;
        var references = ((offset + (16 * group.ItemCount) - 1) / flush.Stride) + 1;
        var warp = Group.IdxX >> 5;
        var queries = SharedMemory.Allocate<UInt4>(64 * Pitch);
        var tile = SharedMemory.Allocate<UInt4>(64 * Pitch);
        var scales = SharedMemory.Allocate<Float2>(64);
        var rows = flush.RowOf(layer, group.FirstItem, 0);
        for (var i = Group.IdxX; i < 64 * Sketch.Pieces; i += 32 * Warps)
        {
            // Rows past the end repeat the last one; nobody looks at theirs.
            var row = rows + Math.Min(i / Sketch.Pieces, (16 * group.ItemCount) - 1);
            queries[(i / Sketch.Pieces * Pitch) + (i % Sketch.Pieces)] = flush.Sketches[((long)row * Sketch.Pieces) + (i % Sketch.Pieces)];
        }

        var token = rows + Math.Min((16 * warp) + (Warp.LaneIdx >> 2), (16 * group.ItemCount) - 9);
        var steps = new Float2(flush.SketchSteps[token], flush.SketchSteps[token + 8]);
        var sums = LocalMemory.Allocate<Int4>(8);
        var upper = LocalMemory.Allocate<Candidate>(4);
        var lower = LocalMemory.Allocate<Candidate>(4);
        NearestList.Clear(upper);
        NearestList.Clear(lower);
        offset += (16 * warp) + (Warp.LaneIdx >> 2);
        var next = LocalMemory.Allocate<UInt4>(8);
        var nextScale = LoadTile(flush, code, item.Sequence, Grid.IdxX * 64, references, next);
        for (var first = Grid.IdxX * 64; first < references; first += Sketch.Splits * 64)
        {
            Group.Barrier();
            for (var i = 0; i < Unroll.Full(8); i++)
                tile[(((Group.IdxX >> 4) + (8 * i)) * Pitch) + (Group.IdxX & 15)] = next[i];
            if (Group.IdxX < 64)
                scales[Group.IdxX] = nextScale;
            Group.Barrier();
            // On its way while this one is used; at the end the last is read again.
            nextScale = LoadTile(flush, code, item.Sequence, first + (Sketch.Splits * 64), references, next);
            if (warp >= group.ItemCount)
                continue;
            Multiply(queries, tile, warp, sums);
            Offer(scales, steps, first, offset / flush.Stride, (offset + 8) / flush.Stride, sums, upper, lower);
        }

        if (warp >= group.ItemCount)
            return;
        var target = (((((long)rows + (16 * warp) + (Warp.LaneIdx >> 2)) * Sketch.Splits) + Grid.IdxX) * 16) + (4 * (Warp.LaneIdx & 3));
        for (var i = 0; i < Unroll.Full(4); i++)
        {
            flush.CoarseCandidates[target + i] = upper[i].Ordinal;
            flush.CoarseCandidates[target + (8 * Sketch.Candidates) + i] = lower[i].Ordinal;
        }
    }

    /// <summary>Loads the thread's eight pieces of 64 sketches; returns step and squared norm of one of them.</summary>
    private static Float2 LoadTile(FlushView flush, LayerCode code, int sequence, int first, int references, ArrayView<UInt4> next)
    {
        for (var i = 0; i < Unroll.Full(8); i++)
        {
            long place = flush.Pool.PlaceOf(code, sequence, Math.Min(first + (Group.IdxX >> 4) + (8 * i), references - 1));
            next[i] = flush.ReferenceSketches[(place * Sketch.Pieces) + (Group.IdxX & 15)];
        }

        return flush.ReferenceScales[flush.Pool.PlaceOf(code, sequence, Math.Min(first + (Group.IdxX & 63), references - 1))];
    }

    private static void Multiply(ArrayView<UInt4> queries, ArrayView<UInt4> tile, int warp, ArrayView<Int4> sums)
    {
        for (var n = 0; n < Unroll.Full(8); n++)
            sums[n] = new Int4(0, 0, 0, 0);
        var a0 = (16 * warp * Pitch) + PaddedTile.LeftOperand(Pitch);
        var b0 = PaddedTile.RightOperands(Pitch);
        for (var step = 0; step < Unroll.Full(Sketch.Pieces / 2); step++)
        {
            var a = LdMatrix.X4(ref queries[a0 + (2 * step)]);
            for (var n = 0; n < Unroll.Full(4); n++)
            {
                var b = LdMatrix.X4(ref tile[b0 + (16 * n * Pitch) + (2 * step)]);
                sums[2 * n] = Mma.SignedByte(a, new UInt2(b.X, b.Y), sums[2 * n]);
                sums[(2 * n) + 1] = Mma.SignedByte(a, new UInt2(b.Z, b.W), sums[(2 * n) + 1]);
            }
        }
    }

    private static void Offer(
        ArrayView<Float2> scales, Float2 steps, int first, int latestUpper, int latestLower, ArrayView<Int4> sums, ArrayView<Candidate> upper, ArrayView<Candidate> lower)
    {
        for (var n = 0; n < Unroll.Full(8); n++)
        {
            var column = (8 * n) + (2 * (Warp.LaneIdx & 3));
            var even = scales[column];
            var odd = scales[column + 1];
            Offer(upper, Score(sums[n].X, steps.X, even), first + column, latestUpper);
            Offer(upper, Score(sums[n].Y, steps.X, odd), first + column + 1, latestUpper);
            Offer(lower, Score(sums[n].Z, steps.Y, even), first + column, latestLower);
            Offer(lower, Score(sums[n].W, steps.Y, odd), first + column + 1, latestLower);
        }
    }

    private static float Score(int product, float step, Float2 reference) => (2f * step * reference.X * product) - reference.Y;

    private static void Offer(ArrayView<Candidate> list, float score, int ordinal, int latest)
    {
        // Ordinals ascend, so of equal scores the one that is there stays.
        if (score > list[3].Score && ordinal <= latest)
            NearestList.Insert(list, score, ordinal);
    }
}
