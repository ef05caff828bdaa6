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
    /// <param name="lists">Slots that the tokens of the items are taken from instead of their own <c>[keyHeads, listStride]</c>, or an empty view.</param>
    /// <param name="listStride">Entries of a head's list; 0: all heads have the same.</param>
    /// <param name="origin">What is added to an item's position to turn keys back; they are turned by as much again when they are read.</param>
    /// <param name="positions">Positions of the tokens, from the slot <paramref name="firstPosition"/> on, where those are what keys are turned by; or an empty view. They are stored beside the records.</param>
    /// <param name="firstPosition">The slot at the beginning of <paramref name="positions"/>.</param>
    internal void Launch(
        AcceleratorStream stream, FlushView flush, KvBlocks<BFloat16> raw, long layerPairs, ArrayView<int> lists = default, int listStride = 0, int origin = 0,
        ArrayView<int> positions = default, int firstPosition = 0)
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
                Lists = lists,
                ListStride = listStride,
                Origin = origin,
                Positions = positions,
                FirstPosition = firstPosition,
            });
    }

    private static void Kernel(Arguments arguments)
    {
        var flush = arguments.Flush;
        var layer = Grid.IdxZ;
        var item = flush.Items[Grid.IdxY];
        var position = arguments.Origin + item.Position + Grid.IdxX;
        if (arguments.Positions.Length > 0)
        {
            position = arguments.Positions[SlotOf(arguments, item, 0) - arguments.FirstPosition];
            if (Group.IdxX == 0)
                flush.Pool.Positions[((long)flush.Pool.BlockTables[(item.Sequence * flush.Pool.BlockStride) + (item.Position >> 4)] << 4) + Grid.IdxX] = position;
        }

        var half = flush.HeadDim / 2;
        var quarter = flush.HeadDim / 4;
        var keyHeads = flush.Pool.KeyHeads;
        var target = (long)flush.RowOf(layer, Grid.IdxY, Grid.IdxX) * keyHeads * flush.HeadDim;

        for (var i = Group.IdxX; i < keyHeads * quarter; i += Group.DimX)
        {
            var head = i / quarter;
            var pair = i % quarter;
            var source = SourceOf(arguments, item, head, half) + pair;
            var x = arguments.Raw.Keys[source];
            var y = arguments.Raw.Keys[source + quarter];
            var even = Back(flush.Pool, position, 2 * pair);
            var odd = Back(flush.Pool, position, (2 * pair) + 1);
            var at = target + (head * half) + pair;
            flush.Rows[at] = Half2.FromSingles((x.Low * even.X) + (y.Low * even.Y), (x.High * odd.X) + (y.High * odd.Y)).Bits;
            flush.Rows[at + quarter] = Half2.FromSingles((y.Low * even.X) - (x.Low * even.Y), (y.High * odd.X) - (x.High * odd.Y)).Bits;
        }

        for (var i = Group.IdxX; i < keyHeads * half; i += Group.DimX)
        {
            var value = arguments.Raw.Values[SourceOf(arguments, item, i / half, half) + (i % half)];
            flush.Rows[target + (keyHeads * half) + i] = Half2.FromSingles(value.Low, value.High).Bits;
        }
    }

    /// <summary>The first pair of a head of the group's token.</summary>
    private static long SourceOf(in Arguments arguments, FlushItem item, int head, int half)
    {
        var row = arguments.Raw.RowOf(arguments.Flush.Pool.KeyHeads, head, item.Sequence, SlotOf(arguments, item, head));
        return (Grid.IdxZ * arguments.LayerPairs) + (row * half);
    }

    /// <summary>Where a head's token of the group lies.</summary>
    private static int SlotOf(in Arguments arguments, FlushItem item, int head)
    {
        var slot = item.Position + Grid.IdxX;
        return arguments.Lists.Length > 0 ? arguments.Lists[((long)head * arguments.ListStride) + slot] : slot;
    }

    /// <summary>The rotation's (cos, sin) over its scale, which RoPE applied once.</summary>
    private static Float2 Back(CodePoolView pool, int position, int element) =>
        RopeRotation.Of(position * pool.InverseFrequencies[element], 1f / pool.RopeScale);

    private struct Arguments
    {
        public FlushView Flush;
        public KvBlocks<BFloat16x2> Raw;
        public long LayerPairs;
        public ArrayView<int> Lists;
        public int ListStride;
        public int Origin;
        public ArrayView<int> Positions;
        public int FirstPosition;
    }
}
