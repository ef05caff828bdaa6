using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>What an item's encoder is applied to, in shared memory <c>[16][input chunks + 1]</c> of eight halves.</summary>
internal static class Residual
{
    /// <summary>What is left of the rows after mean and references.</summary>
    internal static void Form(FlushView flush, LayerCode code, int layer, FlushItem item, ArrayView<int> ids, ArrayView<UInt4> residual)
    {
        var chunks = flush.Width / 8;
        var parts = 2 * flush.Pool.KeyHeads;
        var source = flush.Rows.Cast<UInt4>().SubView((long)flush.RowOf(layer, Grid.IdxY, 0) * chunks);
        var mean = flush.Center.Cast<Float4>().SubView((long)layer * 2 * chunks);
        var weight = 1f / Math.Max(code.Neighbours, 1);
        for (var i = Group.IdxX; i < 16 * chunks; i += Group.DimX)
        {
            var token = i / chunks;
            var chunk = i % chunks;
            var value = source[i];
            var low = mean[2 * chunk];
            var high = mean[(2 * chunk) + 1];
            var a = Minus(value.X, low.X, low.Y);
            var b = Minus(value.Y, low.Z, low.W);
            var c = Minus(value.Z, high.X, high.Y);
            var d = Minus(value.W, high.Z, high.W);
            for (var n = 0; n < code.Neighbours; n++)
            {
                var row = flush.Pool.ReferenceOf(code, item.Sequence, ids[(4 * token) + n]);
                var reference = ReferenceRow.LoadEight(
                    flush.Pool.References, row, flush.Pool.ReferenceBits, parts, flush.HeadDim, 8 * chunk / flush.HeadDim, 8 * chunk % flush.HeadDim);
                a = Minus(a, reference.X, weight);
                b = Minus(b, reference.Y, weight);
                c = Minus(c, reference.Z, weight);
                d = Minus(d, reference.W, weight);
            }

            residual[(token * (flush.InputChunks + 1)) + chunk] = new UInt4(Pack(a), Pack(b), Pack(c), Pack(d));
        }
    }

    /// <summary>Features less those of the references, as <see cref="FeatureKernel"/> left them.</summary>
    internal static void Load(FlushView flush, LayerCode code, int layer, ArrayView<UInt4> residual)
    {
        var chunks = code.FeatureCount / 8;
        var pitch = flush.FeatureWidth / 8;
        var source = flush.Features.Cast<UInt4>().SubView((long)flush.RowOf(layer, Grid.IdxY, 0) * pitch);
        for (var i = Group.IdxX; i < 16 * chunks; i += Group.DimX)
        {
            var token = i / chunks;
            var chunk = i % chunks;
            residual[(token * (flush.InputChunks + 1)) + chunk] = source[(token * pitch) + chunk];
        }
    }

    private static Float2 Minus(uint pair, float low, float high)
    {
        var value = new Half2(pair);
        return new Float2(value.Low - low, value.High - high);
    }

    private static Float2 Minus(Float2 value, uint pair, float weight)
    {
        var reference = new Half2(pair);
        return new Float2(FastMath.Fma(reference.Low, -weight, value.X), FastMath.Fma(reference.High, -weight, value.Y));
    }

    private static uint Pack(Float2 value) => Half2.FromSingles(value.X, value.Y).Bits;
}
