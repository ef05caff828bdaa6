using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>The second level of a long search: of a token's candidates the four nearest, exactly: the largest <c>2 x.r - |r|^2</c>.</summary>
/// <remarks>
/// Shapes: rows <c>[layer][item][16][width]</c> fp16, candidates <c>[layer][item][16][64]</c>. A warp per token, eight candidates at a time, 16 bytes of each row per lane, fp32 sums.
/// Reads <c>64 * 2 * width</c> bytes per token, whatever the length of the sequence: bound by memory.
/// </remarks>
internal sealed class RefineKernel(Accelerator accelerator)
{
    private const int Warps = 4;
    private const int AtOnce = 8;

    private readonly KernelHandle<FlushView> refine = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, FlushView flush)
    {
        if (flush.ItemCount > 0)
            refine.Launch(stream, new KernelConfig(new Index3D(16 / Warps, flush.ItemCount, flush.Pool.Layers), new Index3D(32 * Warps, 1, 1)), flush);
    }

    private static void Kernel(FlushView flush)
    {
        var layer = Grid.IdxZ;
        var code = flush.Pool.LayerCodes[layer];
        var item = flush.Items[Grid.IdxY];
        if (code.Neighbours <= 0 || !flush.IsLong(item))
            return;
        var token = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        // A reference is its own.
        if ((item.Position - flush.Origin + token) % flush.Stride == 0)
            return;
        long row = flush.RowOf(layer, Grid.IdxY, token);
        var best = LocalMemory.Allocate<Candidate>(4);
        NearestList.Clear(best);
        for (var first = 0; first < Sketch.Candidates; first += AtOnce)
            Compare(flush, code, item.Sequence, row, first, best);

        // The exact search's splits share the place of results.
        for (var i = Warp.LaneIdx; i < 4 * flush.Splits; i += 32)
            flush.Candidates[(row * flush.Splits * 4) + i] = new Candidate(float.NegativeInfinity, -1);
        Warp.Barrier();
        if (Warp.IsFirstLane)
        {
            for (var i = 0; i < Unroll.Full(4); i++)
                flush.Candidates[(row * flush.Splits * 4) + i] = best[i];
        }
    }

    private static void Compare(FlushView flush, LayerCode code, int sequence, long row, int first, ArrayView<Candidate> best)
    {
        var parts = 2 * flush.Pool.KeyHeads;
        var ordinals = LocalMemory.Allocate<int>(AtOnce);
        var places = LocalMemory.Allocate<int>(AtOnce);
        var sums = LocalMemory.Allocate<float>(AtOnce);
        for (var i = 0; i < Unroll.Full(AtOnce); i++)
        {
            ordinals[i] = flush.CoarseCandidates[(row * Sketch.Candidates) + first + i];
            places[i] = flush.Pool.PlaceOf(code, sequence, Math.Max(ordinals[i], 0));
            sums[i] = 0f;
        }

        for (var chunk = Warp.LaneIdx; chunk < flush.Width / 8; chunk += 32)
        {
            var x = flush.Rows.Cast<UInt4>()[(row * (flush.Width / 8)) + chunk];
            for (var i = 0; i < Unroll.Full(AtOnce); i++)
            {
                var r = ReferenceRow.LoadEight(
                    flush.Pool.References, (long)places[i] * flush.Pool.ReferenceWords, flush.Pool.ReferenceBits, parts, flush.HeadDim, 8 * chunk / flush.HeadDim, 8 * chunk % flush.HeadDim);
                sums[i] = Dot(x.X, r.X, Dot(x.Y, r.Y, Dot(x.Z, r.Z, Dot(x.W, r.W, sums[i]))));
            }
        }

        for (var i = 0; i < Unroll.Full(AtOnce); i++)
        {
            var norm = flush.Pool.ReferenceNorms[places[i]];
            var score = (2f * WarpReduce.Sum(sums[i])) - norm;
            if (ordinals[i] >= 0 && NearestList.Accepts(best, score, ordinals[i]))
                NearestList.Insert(best, score, ordinals[i]);
        }
    }

    private static float Dot(uint a, uint b, float sum)
    {
        var (x, y) = (new Half2(a), new Half2(b));
        return FastMath.Fma(x.High, y.High, FastMath.Fma(x.Low, y.Low, sum));
    }
}
