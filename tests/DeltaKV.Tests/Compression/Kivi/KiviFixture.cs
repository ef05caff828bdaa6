using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Kivi;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Kivi;

/// <summary>
/// Sequences with random keys and values in scattered raw blocks of two layers, the second of which is looked at, and a pool for their quantised blocks: everything that the
/// kernels touch, with what they should store computed one number at a time.
/// </summary>
internal sealed class KiviFixture : IDisposable
{
    internal const int Layer = 1;

    private readonly KernelFixture device;
    private readonly List<IDisposable> buffers = [];
    private readonly int[] codeTable;
    private readonly int[] rawTable;
    private readonly int rawStride;
    private readonly int codeStride;
    private readonly BFloat16[] keys;
    private readonly BFloat16[] values;
    private readonly Dictionary<(bool, int, int, int), float[]> rows = [];
    private readonly Dictionary<(bool, int, int, int), float[]> decoded = [];

    internal KiviFixture(KernelFixture device, AttentionShape shape, KiviCode code, int[] lengths, int sinks, int seed, int rawShift = 4)
    {
        (this.device, Shape, Code, Lengths, Sinks, RawShift) = (device, shape, code, lengths, sinks, rawShift);
        var random = new Random(seed);
        // A layer of other bits before it.
        KiviLayer[] layers =
        [
            new() { FirstUnit = 0, KeyBits = 8, ValueBits = 2 },
            new() { FirstUnit = shape.KeyHeads * KiviLayout.HeadUnits(shape.HeadDim, 8, 2), KeyBits = code.KeyBits, ValueBits = code.ValueBits, IsRotated = code.IsRotated ? 1 : 0 },
        ];
        HeadUnits = KiviLayout.HeadUnits(shape.HeadDim, code.KeyBits, code.ValueBits);
        BlockUnits = layers[1].FirstUnit + (shape.KeyHeads * HeadUnits);
        LayerUnit = layers[1].FirstUnit;
        Layers = Upload(layers);
        codeStride = (lengths.Max() / 32) + 2;
        rawStride = (lengths.Max() >> rawShift) + 2;
        codeTable = Scattered(random, lengths.Length * codeStride);
        rawTable = Scattered(random, lengths.Length * rawStride);
        Units = Own(device.Poisoned<UInt4>(codeTable.Length * BlockUnits));
        LayerElements = (rawTable.Length << rawShift) * shape.KeyHeads * shape.HeadDim;
        keys = Numbers(random, offsets: true);
        values = Numbers(random, offsets: false);
        Raw = new KvBlocks<BFloat16>(Upload(keys), Upload(values), Upload(rawTable), rawStride, rawShift);
        Bounds = Upload(lengths.Select(length => new ReadBounds(sinks, CodedEnd(length))).ToArray());
        Pool = new KiviPool(Units.View, Upload(codeTable), codeStride, BlockUnits, shape.KeyHeads);
        Reader = new KiviReader(Pool, layers[1], new KvBlocks<BFloat16x8>(
            Raw.Keys.SubView(LayerElements).Cast<BFloat16x8>(), Raw.Values.SubView(LayerElements).Cast<BFloat16x8>(), Raw.Tables, rawStride, rawShift));
    }

    internal AttentionShape Shape { get; }

    internal KiviCode Code { get; }

    internal int[] Lengths { get; }

    internal int Sinks { get; }

    internal int RawShift { get; }

    internal int HeadUnits { get; }

    internal int LayerUnit { get; }

    internal int BlockUnits { get; }

    internal int LayerElements { get; }

    internal ArrayView<KiviLayer> Layers { get; }

    internal MemoryBuffer1D<UInt4, Stride1D.Dense> Units { get; }

    internal KvBlocks<BFloat16> Raw { get; }

    internal ArrayView<ReadBounds> Bounds { get; }

    internal KiviPool Pool { get; }

    internal KiviReader Reader { get; }

    /// <summary>All but the newest 16 to 47 tokens are quantised.</summary>
    internal int CodedEnd(int length) => Math.Max(Sinks, (length - 16) / 32 * 32);

    internal bool IsCoded(int sequence, int slot) => slot >= Sinks && slot < CodedEnd(Lengths[sequence]);

    /// <summary>Quantises everything old enough.</summary>
    internal void Compress()
    {
        var items = new List<FlushItem>();
        for (var s = 0; s < Lengths.Length; s++)
        {
            for (var slot = Sinks; slot < CodedEnd(Lengths[s]); slot += 16)
                items.Add(new FlushItem(s, slot));
        }

        if (items.Count > 0)
            new KiviEncodeKernel(device.Accelerator).Launch(device.Stream, Pool, Layers, Upload(items.ToArray()), Raw, LayerElements, Shape.HeadDim);
        device.Stream.Synchronize();
    }

    /// <summary>A raw number.</summary>
    internal float RawOf(bool isValue, int sequence, int slot, int head, int channel)
    {
        var block = rawTable[(sequence * rawStride) + (slot >> RawShift)];
        var row = (((block * Shape.KeyHeads) + head) << RawShift) + (slot & ((1 << RawShift) - 1));
        return (isValue ? values : keys)[LayerElements + (row * Shape.HeadDim) + channel];
    }

    /// <summary>What is quantised: raw numbers, or halves of the mixed ones.</summary>
    internal float[] Row(bool isValue, int sequence, int slot, int head)
    {
        if (!rows.TryGetValue((isValue, sequence, slot, head), out var row))
        {
            row = [.. Enumerable.Range(0, Shape.HeadDim).Select(channel => RawOf(isValue, sequence, slot, head, channel))];
            if (Code.IsRotated)
                row = Array.ConvertAll(Mixed(row), number => (float)(System.Half)number);
            rows.Add((isValue, sequence, slot, head), row);
        }

        return row;
    }

    /// <summary>What attention should see of a token: what it stores, mixed back.</summary>
    internal float[] Decoded(bool isValue, int sequence, int slot, int head)
    {
        if (!decoded.TryGetValue((isValue, sequence, slot, head), out var row))
        {
            row = new float[Shape.HeadDim];
            for (var channel = 0; channel < row.Length; channel++)
            {
                var (integer, step, zero) = Expected(isValue, sequence, slot, head, channel);
                row[channel] = MathF.FusedMultiplyAdd(integer, step, zero);
            }

            row = Code.IsRotated ? Mixed(row) : row;
            decoded.Add((isValue, sequence, slot, head), row);
        }

        return row;
    }

    /// <summary>What should be stored of a number: its integer, and the step and zero it goes with.</summary>
    internal (int Integer, float Step, float Zero) Expected(bool isValue, int sequence, int slot, int head, int channel)
    {
        var group = isValue
            ? Enumerable.Range(channel / 32 * 32, 32).Select(c => Row(true, sequence, slot, head)[c])
            : Enumerable.Range(slot / 32 * 32, 32).Select(p => Row(false, sequence, p, head)[channel]);
        var (low, high) = (group.Min(), group.Max());
        var bits = isValue ? Code.ValueBits : Code.KeyBits;
        var levels = (1 << bits) - 1;
        var unit = Unit(bits, isValue ? slot % 32 / 8 : channel % 8 / 2);
        var step = (float)(System.Half)((high - low) / levels / unit) * unit;
        var zero = (float)(System.Half)low;
        var number = Row(isValue, sequence, slot, head)[channel];
        return ((int)Math.Clamp(MathF.Round((number - zero) * (step > 0 ? 1f / step : 0f)), 0, levels), step, zero);
    }

    /// <summary>What is stored of a number in a downloaded pool.</summary>
    internal (int Integer, float Step, float Zero) Stored(UInt4[] pool, bool isValue, int sequence, int slot, int head, int channel)
    {
        var dim = Shape.HeadDim;
        var first = (codeTable[(sequence * codeStride) + (slot / 32)] * BlockUnits) + LayerUnit + (head * HeadUnits);
        var bits = Code.KeyBits;
        // Key codes and their steps and zeros, then the values'.
        var codes = first;
        if (isValue)
            (codes, bits) = (first + (((32 * dim * bits / 8) + (4 * dim)) / 16), Code.ValueBits);
        slot %= 32;
        // Lane (g, t) and pair within the lane: keys have channels for t, values for g.
        var (g, t, pair, half) = isValue
            ? (channel % 32 / 4, slot % 8 / 2, (((channel / 32 * 4) + (channel % 4)) * 4) + (slot / 8), slot % 2)
            : (slot % 8, channel % 32 / 8, (slot / 8 * (dim / 8)) + (channel / 32 * 4) + (channel % 8 / 2), channel % 2);
        var word = pair / (16 / bits);
        var piece = pool[codes + (word / 4 * 32) + (g * 4) + t];
        var integers = (word % 4) switch { 0 => piece.X, 1 => piece.Y, 2 => piece.Z, _ => piece.W };
        var integer = (int)(integers >> ((pair % (16 / bits) * bits) + (16 * half))) & ((1 << bits) - 1);

        var scales = codes + (32 * dim * bits / 128);
        var index = isValue ? (((((channel / 32 * 4) + t) * 4) + (slot / 8)) * 2) + half : channel;
        var unit = Unit(bits, isValue ? slot / 8 : channel % 8 / 2);
        return (integer, HalfAt(pool, scales, index) * unit, HalfAt(pool, scales + (dim / 8), index));
    }

    internal ArrayView<T> Upload<T>(T[] data)
        where T : unmanaged => Own(device.Upload(data)).View;

    public void Dispose() => buffers.ForEach(buffer => buffer.Dispose());

    /// <summary>Times the orthogonal Hadamard matrix: entry (i, j) is negative where i and j have an odd number of bits in common.</summary>
    private static float[] Mixed(float[] row)
    {
        row = [.. row];
        for (var bit = 1; bit < row.Length; bit <<= 1)
        {
            for (var i = 0; i < row.Length; i++)
            {
                if ((i & bit) == 0)
                    (row[i], row[i + bit]) = (row[i] + row[i + bit], row[i] - row[i + bit]);
            }
        }

        return Array.ConvertAll(row, number => number * (row.Length == 64 ? 0.125f : 0.088388346f));
    }

    /// <summary>Integers of the n-th pair lie so high in their byte.</summary>
    private static float Unit(int bits, int pair) => 1 << (bits * pair % 8);

    private static float HalfAt(UInt4[] pool, int first, int index)
    {
        var piece = pool[first + (index / 8)];
        var word = (index % 8 / 2) switch { 0 => piece.X, 1 => piece.Y, 2 => piece.Z, _ => piece.W };
        return (float)BitConverter.UInt16BitsToHalf((ushort)(word >> (16 * (index % 2))));
    }

    private static int[] Scattered(Random random, int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        random.Shuffle(order);
        return order;
    }

    /// <summary>Numbers of all layers; keys have channels far from zero and channels that hardly change, some of which not at all.</summary>
    private BFloat16[] Numbers(Random random, bool offsets)
    {
        var channels = Enumerable.Range(0, Shape.HeadDim)
            .Select(c => (Offset: offsets && c % 7 == 3 ? 40f : 0f, Range: c % 13 == 5 ? 0f : c % 5 == 1 ? 1e-3f : 2f)).ToArray();
        var result = new BFloat16[2 * LayerElements];
        for (var i = 0; i < result.Length; i++)
        {
            var (offset, range) = channels[i % Shape.HeadDim];
            result[i] = BFloat16.FromSingle(offset + (range * ((2 * random.NextSingle()) - 1)));
        }

        return result;
    }

    private T Own<T>(T buffer)
        where T : IDisposable
    {
        buffers.Add(buffer);
        return buffer;
    }
}
