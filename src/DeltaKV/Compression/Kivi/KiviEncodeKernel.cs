using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>Quantises blocks of 32 raw tokens: <c>integer = round((x - min) / step)</c>, <c>step = (max - min) / (2^bits - 1)</c>, both as the halves that are stored.</summary>
/// <remarks>
/// Shapes: raw blocks of all quantised layers <c>[layer][block][keyHead][slot][d]</c> bf16; blocks as <see cref="KiviLayout"/> says. A warp takes the keys or values of one head, item
/// and layer: extremes per channel (keys, in registers) or per token and 32 channels (values, by shuffles), integers as bytes in shared memory, then every lane gathers its words.
/// Reads 2 bytes per element and writes bits / 8 and scales: bound by memory. Source: Liu et al., KIVI, ICML 2024.
/// </remarks>
internal sealed class KiviEncodeKernel(Accelerator accelerator)
{
    private const int Warps = 4;
    private const int Tokens = KiviCode.GroupSize;

    private readonly KernelHandle<Arguments> heads64 = new(accelerator, Kernel<Heads.Of64>);
    private readonly KernelHandle<Arguments> heads128 = new(accelerator, Kernel<Heads.Of128>);

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="pool">Where blocks go.</param>
    /// <param name="layers">The quantised layers.</param>
    /// <param name="items">16-token groups; two neighbours are a block, the first a multiple of 32.</param>
    /// <param name="raw">Raw blocks of the first quantised layer; the others follow.</param>
    /// <param name="layerElements">Elements of the keys (or values) of a layer.</param>
    /// <param name="headDim">Elements of a head: 64 or 128.</param>
    /// <param name="lists">Slots that the tokens of the items are taken from instead of their own <c>[keyHeads, listStride]</c>, or an empty view.</param>
    /// <param name="listStride">Entries of a head's list; 0: all heads have the same.</param>
    internal void Launch(
        AcceleratorStream stream, KiviPool pool, ArrayView<KiviLayer> layers, ArrayView<FlushItem> items, KvBlocks<BFloat16> raw, long layerElements, int headDim,
        ArrayView<int> lists = default, int listStride = 0)
    {
        if (items.Length == 0)
            return;
        var config = new KernelConfig(new Index3D(((2 * pool.KeyHeads) + Warps - 1) / Warps, (int)items.Length, (int)layers.Length), new Index3D(32 * Warps, 1, 1));
        (headDim == 64 ? heads64 : heads128).Launch(stream, config, new Arguments
        {
            Pool = pool,
            Layers = layers,
            Items = items,
            Raw = new KvBlocks<uint>(raw.Keys.Cast<uint>(), raw.Values.Cast<uint>(), raw.Tables, raw.TableStride, raw.BlockShift),
            LayerWords = layerElements / 2,
            Lists = lists,
            ListStride = listStride,
        });
    }

    private static void Kernel<THead>(Arguments arguments)
        where THead : struct, IHead
    {
        var item = arguments.Items[Grid.IdxY];
        var part = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        var pool = arguments.Pool;
        if ((item.Position & (Tokens - 1)) != 0 || part >= 2 * pool.KeyHeads)
            return;
        var layer = arguments.Layers[Grid.IdxZ];
        var isValue = part >= pool.KeyHeads;
        var head = isValue ? part - pool.KeyHeads : part;
        var bits = layer.Bits(isValue);
        var target = pool.Units.SubView(pool.PartOf(layer, THead.Dim, item.Sequence, item.Position, head, isValue));
        var scales = target.SubView(KiviLayout.CodeUnits(THead.Dim, bits));
        var integers = SharedMemory.Allocate<byte>(Warps * Tokens * THead.Dim).SubView((Group.IdxX >> 5) * Tokens * THead.Dim);

        var rows = LocalMemory.Allocate<uint>(Tokens * (THead.Dim / 64));
        LoadRows<THead>(arguments, item, head, isValue, rows);
        var isRotated = layer.IsRotated != 0;
        if (isRotated)
        {
            for (var token = 0; token < Unroll.Full(Tokens); token++)
            {
                var row = rows.SubView(token * (THead.Dim / 64));
                KiviRotation.Row<THead>(row, row, false);
            }
        }

        if (isValue)
            QuantiseValues<THead>(rows, isRotated, bits, scales.Cast<ushort>(), integers);
        else
            QuantiseKeys<THead>(rows, isRotated, bits, scales.Cast<uint>(), integers);
        Warp.Barrier();
        Pack<THead>(integers, bits, isValue, target);
    }

    /// <summary>A lane's 2 or 4 channels of all tokens.</summary>
    private static void LoadRows<THead>(Arguments arguments, FlushItem item, int head, bool isValue, ArrayView<uint> rows)
        where THead : struct, IHead
    {
        var raw = arguments.Raw;
        var words = THead.Dim / 64;
        var own = item.Position + Warp.LaneIdx;
        if (arguments.Lists.Length > 0)
            own = arguments.Lists[((long)head * arguments.ListStride) + own];
        var ownRow = raw.RowOf(arguments.Pool.KeyHeads, head, item.Sequence, own);
        var source = (isValue ? raw.Values : raw.Keys).SubView((Grid.IdxZ * arguments.LayerWords) + (Warp.LaneIdx * words));
        for (var token = 0; token < Unroll.Full(Tokens); token++)
        {
            var row = Warp.Shuffle(ownRow, token) * (THead.Dim / 2);
            for (var w = 0; w < Unroll.Full(words); w++)
                rows[(token * words) + w] = source[row + w];
        }
    }

    private static void QuantiseKeys<THead>(ArrayView<uint> rows, bool isRotated, int bits, ArrayView<uint> scales, ArrayView<byte> integers)
        where THead : struct, IHead
    {
        var words = THead.Dim / 64;
        for (var w = 0; w < Unroll.Full(words); w++)
        {
            var low = new Float2(float.PositiveInfinity, float.NegativeInfinity);
            var high = low;
            for (var token = 0; token < Unroll.Full(Tokens); token++)
            {
                var pair = KiviPair.Widen(rows[(token * words) + w], isRotated);
                low = Widened(low, pair.X);
                high = Widened(high, pair.Y);
            }

            // Pairs of channels of a lane of the decoding warp: see KiviLayout.
            var channel = (Warp.LaneIdx * 2 * words) + (2 * w);
            var offset = KiviLayout.Offset(bits, (channel >> 1) & 3);
            var lowScale = KiviScale.Of(low, bits, offset);
            var highScale = KiviScale.Of(high, bits, offset);
            scales[channel >> 1] = lowScale.Step | (highScale.Step << 16);
            scales[(THead.Dim / 2) + (channel >> 1)] = lowScale.Zero | (highScale.Zero << 16);
            for (var token = 0; token < Unroll.Full(Tokens); token++)
            {
                var pair = KiviPair.Widen(rows[(token * words) + w], isRotated);
                integers[(token * THead.Dim) + channel] = lowScale.Quantise(pair.X);
                integers[(token * THead.Dim) + channel + 1] = highScale.Quantise(pair.Y);
            }
        }
    }

    private static void QuantiseValues<THead>(ArrayView<uint> rows, bool isRotated, int bits, ArrayView<ushort> scales, ArrayView<byte> integers)
        where THead : struct, IHead
    {
        var words = THead.Dim / 64;
        // 32 channels are 8 or 16 lanes.
        var lanes = 16 / words;
        for (var token = 0; token < Unroll.Full(Tokens); token++)
        {
            var range = new Float2(float.PositiveInfinity, float.NegativeInfinity);
            for (var w = 0; w < Unroll.Full(words); w++)
            {
                var pair = KiviPair.Widen(rows[(token * words) + w], isRotated);
                range = Widened(Widened(range, pair.X), pair.Y);
            }

            for (var mask = 1; mask < lanes; mask <<= 1)
            {
                range = new Float2(
                    MathF.Min(range.X, Warp.ShuffleXor(range.X, mask)),
                    MathF.Max(range.Y, Warp.ShuffleXor(range.Y, mask)));
            }

            var scale = KiviScale.Of(range, bits, KiviLayout.Offset(bits, token >> 3));
            if (Warp.LaneIdx % lanes == 0)
            {
                var at = KiviLayout.ValueScale(Warp.LaneIdx / lanes, token);
                scales[at] = (ushort)scale.Step;
                scales[THead.Dim + at] = (ushort)scale.Zero;
            }

            for (var w = 0; w < Unroll.Full(words); w++)
            {
                var pair = KiviPair.Widen(rows[(token * words) + w], isRotated);
                var at = (token * THead.Dim) + (((Warp.LaneIdx * words) + w) * 2);
                integers[at] = scale.Quantise(pair.X);
                integers[at + 1] = scale.Quantise(pair.Y);
            }
        }
    }

    private static Float2 Widened(Float2 range, float value) => new(MathF.Min(range.X, value), MathF.Max(range.Y, value));

    /// <summary>Every lane gathers the words it will read when decoding.</summary>
    private static void Pack<THead>(ArrayView<byte> integers, int bits, bool isValue, ArrayView<UInt4> target)
        where THead : struct, IHead
    {
        var words = target.Cast<uint>();
        var perWord = 16 / bits;
        for (var k = 0; k < THead.Dim * bits / 32; k++)
        {
            var word = 0u;
            for (var s = 0; s < perWord; s++)
            {
                var pair = (k * perWord) + s;
                var at = isValue ? KiviLayout.ValueOf(THead.Dim, Warp.LaneIdx, pair) : KiviLayout.KeyOf(THead.Dim, Warp.LaneIdx, pair);
                var both = integers[at] | ((uint)integers[at + (isValue ? THead.Dim : 1)] << 16);
                word |= both << (bits * s);
            }

            words[KiviLayout.WordOf(Warp.LaneIdx, k)] = word;
        }
    }

    private struct Arguments
    {
        public KiviPool Pool;
        public ArrayView<KiviLayer> Layers;
        public ArrayView<FlushItem> Items;
        public KvBlocks<uint> Raw;
        public long LayerWords;
        public ArrayView<int> Lists;
        public int ListStride;
    }
}
