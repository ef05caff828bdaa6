using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Collects the raw tokens of a flush as rows <c>[keys before RoPE | values]</c> of halves: keys are turned back by the inverse rotation in fp32.</summary>
/// <remarks>
/// Shapes: raw blocks of all compressed layers <c>[layer][block][keyHead][slot][d]</c> bf16; rows <c>[layer][item][16][width]</c> fp16. One group per (token, item,
/// layer). A half keeps three bits more than bf16, so turning a key back and forth returns the same bf16 unless its partner is far larger.
/// Moves 4 bytes per element: bound by memory.
/// </remarks>
internal sealed class GatherKernel(Accelerator accelerator)
{
    private readonly KernelHandle<Arguments> gather = new(accelerator, Kernel);

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="flush">The pass.</param>
    /// <param name="raw">Blocks of the first compressed layer; the others follow at <paramref name="layerPairs"/>.</param>
    /// <param name="layerPairs">Pairs of elements of the keys (or values) of a layer.</param>
    internal void Launch(AcceleratorStream stream, FlushView flush, KvBlocks<BFloat16> raw, long layerPairs)
    {
        if (flush.ItemCount == 0)
            return;
        gather.Launch(
            stream,
            new KernelConfig(new Index3D(16, flush.ItemCount, flush.Pool.Layers), new Index3D(128, 1, 1)),
            new Arguments
            {
                Flush = flush,
                Raw = new KvBlocks<BFloat16x2>(raw.Keys.Cast<BFloat16x2>(), raw.Values.Cast<BFloat16x2>(), raw.Tables, raw.TableStride, raw.BlockShift),
                LayerPairs = layerPairs,
            });
    }

    private static void Kernel(Arguments arguments)
    {
        var flush = arguments.Flush;
        var layer = Grid.IdxZ;
        var item = flush.Items[Grid.IdxY];
        var position = item.Position + Grid.IdxX;
        var half = flush.HeadDim / 2;
        var quarter = flush.HeadDim / 4;
        var keyHeads = flush.Pool.KeyHeads;
        var block = arguments.Raw.Tables[(item.Sequence * arguments.Raw.TableStride) + (position >> arguments.Raw.BlockShift)];
        var source = (layer * arguments.LayerPairs) + ((((long)block * keyHeads << arguments.Raw.BlockShift) + (position & ((1 << arguments.Raw.BlockShift) - 1))) * half);
        var headPairs = half << arguments.Raw.BlockShift;
        var target = (long)flush.RowOf(layer, Grid.IdxY, Grid.IdxX) * keyHeads * flush.HeadDim;

        for (var i = Group.IdxX; i < keyHeads * quarter; i += Group.DimX)
        {
            var head = i / quarter;
            var pair = i % quarter;
            var x = arguments.Raw.Keys[source + (head * headPairs) + pair];
            var y = arguments.Raw.Keys[source + (head * headPairs) + pair + quarter];
            var even = Back(flush.Pool, position, 2 * pair);
            var odd = Back(flush.Pool, position, (2 * pair) + 1);
            var at = target + (head * half) + pair;
            flush.Rows[at] = Half2.FromSingles((x.Low * even.X) + (y.Low * even.Y), (x.High * odd.X) + (y.High * odd.Y)).Bits;
            flush.Rows[at + quarter] = Half2.FromSingles((y.Low * even.X) - (x.Low * even.Y), (y.High * odd.X) - (x.High * odd.Y)).Bits;
        }

        for (var i = Group.IdxX; i < keyHeads * half; i += Group.DimX)
        {
            var value = arguments.Raw.Values[source + (i / half * headPairs) + (i % half)];
            flush.Rows[target + (keyHeads * half) + i] = Half2.FromSingles(value.Low, value.High).Bits;
        }
    }

    /// <summary>The rotation's (cos, sin) over its scale, which RoPE applied once.</summary>
    private static Float2 Back(CodePoolView pool, int position, int element) =>
        RopeRotation.Of(position * pool.InverseFrequencies[element], 1f / pool.RopeScale);

    private struct Arguments
    {
        public FlushView Flush;
        public KvBlocks<BFloat16x2> Raw;
        public long LayerPairs;
    }
}
