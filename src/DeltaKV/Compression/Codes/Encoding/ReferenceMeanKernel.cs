using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Chooses the references of a flush's tokens where the encoder has features, stores their ids, and writes <c>r = mean + mean_n reference_n</c>.</summary>
/// <remarks>
/// Shapes: r <c>[layer][item][16][width]</c> fp16. One group per (item, layer); fp32, rounded once. Encoders without features subtract r on the fly instead.
/// Moves <c>2 (1 + neighbours)</c> bytes per element: bound by memory.
/// </remarks>
internal sealed class ReferenceMeanKernel(Accelerator accelerator)
{
    private readonly KernelHandle<FlushView> mean = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, FlushView flush)
    {
        if (flush.ItemCount > 0)
            mean.Launch(stream, new KernelConfig(new Index3D(1, flush.ItemCount, flush.Pool.Layers), new Index3D(128, 1, 1)), flush);
    }

    private static void Kernel(FlushView flush)
    {
        var layer = Grid.IdxZ;
        var code = flush.Pool.LayerCodes[layer];
        if (code.FeatureCount == 0)
            return;
        var item = flush.Items[Grid.IdxY];
        var ids = SharedMemory.Allocate<int>(64);
        if (code.Neighbours > 0)
        {
            var block = flush.Pool.BlockTables[(item.Sequence * flush.Pool.BlockStride) + (item.Position >> 4)];
            if (Group.IdxX < 16)
                ReferenceChoice.Make(flush, code, layer, item, ((long)block * flush.Pool.BlockWords) + code.FirstWord, ids);
            Group.Barrier();
        }

        var chunks = flush.Width / 8;
        var target = flush.Bases.Cast<UInt4>().SubView((long)flush.RowOf(layer, Grid.IdxY, 0) * chunks);
        var center = flush.Center.Cast<Float4>().SubView((long)layer * 2 * chunks);
        var weight = 1f / Math.Max(code.Neighbours, 1);
        for (var i = Group.IdxX; i < 16 * chunks; i += Group.DimX)
        {
            var token = i / chunks;
            var chunk = i % chunks;
            var low = center[2 * chunk];
            var high = center[(2 * chunk) + 1];
            for (var n = 0; n < code.Neighbours; n++)
            {
                var row = flush.Pool.ReferenceOf(code, item.Sequence, ids[(4 * token) + n]);
                var reference = ReferenceRow.LoadEight(
                    flush.Pool.References, row, flush.Pool.ReferenceBits, 2 * flush.Pool.KeyHeads, flush.HeadDim, 8 * chunk / flush.HeadDim, 8 * chunk % flush.HeadDim);
                low = Plus(low, reference.X, reference.Y, weight);
                high = Plus(high, reference.Z, reference.W, weight);
            }

            target[i] = new UInt4(
                Half2.FromSingles(low.X, low.Y).Bits, Half2.FromSingles(low.Z, low.W).Bits,
                Half2.FromSingles(high.X, high.Y).Bits, Half2.FromSingles(high.Z, high.W).Bits);
        }
    }

    private static Float4 Plus(Float4 sum, uint first, uint second, float weight)
    {
        var a = new Half2(first);
        var b = new Half2(second);
        return new Float4(
            FastMath.Fma(a.Low, weight, sum.X), FastMath.Fma(a.High, weight, sum.Y), FastMath.Fma(b.Low, weight, sum.Z), FastMath.Fma(b.High, weight, sum.W));
    }
}
