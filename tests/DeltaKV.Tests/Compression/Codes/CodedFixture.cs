using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Codes;

/// <summary>
/// Sequences with random kv in scattered raw blocks of several layers, and pools for their codes and references in scattered blocks: everything the coding kernels
/// touch, with the plain truth beside it.
/// </summary>
internal sealed class CodedFixture : IDisposable
{
    internal const int Sinks = 16;
    internal const int Stride = 10;

    private readonly KernelFixture device;
    private readonly List<IDisposable> buffers = [];
    private readonly int[] codeTable;
    private readonly int[] referenceTable;
    private readonly int blockStride;

    internal CodedFixture(KernelFixture device, AttentionShape shape, LinearCodec[] codecs, int[] lengths, int referenceBits, int seed, int recomputed = -1)
    {
        (this.device, Shape, Codecs, Lengths, ReferenceBits) = (device, shape, codecs, lengths, referenceBits);
        Tables = Own(new CodeTables(device.Accelerator, codecs, recomputed));
        var random = new Random(seed);
        blockStride = lengths.Max(length => (length + 15) / 16) + 1;
        Kv = [.. codecs.Select(_ => lengths.Select(length => Rows(random, length)).ToArray())];
        Frequencies = [.. Enumerable.Range(0, shape.HeadDim / 2).Select(i => (float)Math.Pow(1e4, -2.0 * i / shape.HeadDim))];

        (codeTable, var codeBlocks) = Scatter(random, blockStride);
        (referenceTable, var referenceBlocks) = Scatter(random, blockStride);
        (var rawTable, var rawBlocks) = Scatter(random, blockStride);
        ReferenceWords = ReferenceRow.WordsOf(referenceBits, 2 * shape.KeyHeads, shape.HeadDim);
        Records = Poisoned<uint>(codeBlocks * Tables.BlockWords);
        References = Poisoned<uint>(referenceBlocks * codecs.Length * 16 * ReferenceWords);
        Norms = Poisoned<float>(referenceBlocks * codecs.Length * 16);
        LayerElements = rawBlocks * 16 * shape.KeyHeads * shape.HeadDim;
        var (keys, values) = RawBlocks(rawTable);
        Raw = new KvBlocks<BFloat16>(Upload(keys), Upload(values), Upload(rawTable), blockStride, 4);
        Bounds = Upload(lengths.Select(length => new ReadBounds(Sinks, CodedEnd(length))).ToArray());
        Pool = Tables.View(Upload(Frequencies)) with
        {
            Records = Records.View,
            BlockTables = Upload(codeTable),
            BlockStride = blockStride,
            References = References.View,
            ReferenceNorms = Norms.View,
            ReferenceTables = Upload(referenceTable),
            ReferenceStride = blockStride,
            ReferenceBits = referenceBits,
            ReferenceWords = ReferenceWords,
        };
    }

    internal AttentionShape Shape { get; }

    internal LinearCodec[] Codecs { get; }

    internal int[] Lengths { get; }

    internal int ReferenceBits { get; }

    internal int ReferenceWords { get; }

    internal CodeTables Tables { get; }

    internal float[] Frequencies { get; }

    /// <summary>Pre-RoPE kv rows <c>[layer][sequence][position][width]</c>; keys as the raw blocks' bf16 say, turned back in double.</summary>
    internal double[][][][] Kv { get; }

    internal KvBlocks<BFloat16> Raw { get; }

    internal int LayerElements { get; }

    internal ArrayView<ReadBounds> Bounds { get; }

    internal CodePoolView Pool { get; }

    internal MemoryBuffer1D<uint, Stride1D.Dense> Records { get; }

    internal MemoryBuffer1D<uint, Stride1D.Dense> References { get; }

    internal MemoryBuffer1D<float, Stride1D.Dense> Norms { get; }

    /// <summary>All but the newest 16 to 31 tokens are coded.</summary>
    internal static int CodedEnd(int length) => Math.Max(Sinks, (length - 16) / 16 * 16);

    internal CodeReader Reader(int layer) => new(Pool, RawOf(layer), layer);

    internal KvBlocks<BFloat16x8> RawOf(int layer)
    {
        long first = (long)layer * LayerElements;
        return new(
            Raw.Keys.SubView(first, LayerElements).Cast<BFloat16x8>(), Raw.Values.SubView(first, LayerElements).Cast<BFloat16x8>(), Raw.Tables, Raw.TableStride, 4);
    }

    /// <summary>Compresses everything old enough, in one pass.</summary>
    internal void Compress(int splits = 2)
    {
        var items = new List<FlushItem>();
        var groups = new List<SearchGroup>();
        for (var s = 0; s < Lengths.Length; s++)
        {
            var first = items.Count;
            for (var position = Sinks; position < CodedEnd(Lengths[s]); position += 16)
                items.Add(new FlushItem(s, position));
            for (var i = first; i < items.Count; i += 4)
                groups.Add(new SearchGroup(i, Math.Min(4, items.Count - i)));
        }

        if (items.Count == 0)
            return;
        var flush = new FlushView
        {
            Pool = Pool,
            Items = Upload(items.ToArray()),
            Groups = Upload(groups.ToArray()),
            Units = Tables.Units,
            Down = Tables.Down,
            Center = Tables.Center,
            Bases = Poisoned<uint>(Codecs.Length * items.Count * 16 * Tables.Width / 2).View,
            Features = Poisoned<uint>(Math.Max(Codecs.Length * items.Count * 16 * Tables.FeatureWidth / 2, 1)).View,
            FeatureWidth = Tables.FeatureWidth,
            Rows = Poisoned<uint>(Codecs.Length * items.Count * 16 * Tables.Width / 2).View,
            Candidates = Poisoned<Candidate>(Codecs.Length * items.Count * 16 * splits * 4).View,
            ItemCount = items.Count,
            Splits = splits,
            Stride = Stride,
            Origin = Sinks,
            HeadDim = Shape.HeadDim,
        };
        new GatherKernel(device.Accelerator).Launch(device.Stream, flush, Raw, LayerElements / 2);
        if (Tables.ReferenceLayers > 0)
        {
            new StoreReferencesKernel(device.Accelerator).Launch(device.Stream, flush);
            new SearchKernel(device.Accelerator).Launch(device.Stream, flush, groups.Count);
        }

        if (Tables.FeatureWidth > 0)
        {
            new ReferenceMeanKernel(device.Accelerator).Launch(device.Stream, flush);
            new FeatureKernel(device.Accelerator).Launch(device.Stream, flush, Tables);
        }

        new EncodeKernel(device.Accelerator).Launch(device.Stream, flush);
        device.Stream.Synchronize();
    }

    /// <summary>Words of a token's record.</summary>
    internal ReadOnlySpan<uint> Record(uint[] records, int layer, int sequence, int position)
    {
        var code = Tables.Layers[layer];
        var block = codeTable[(sequence * blockStride) + (position / 16)];
        return records.AsSpan((block * Tables.BlockWords) + code.FirstWord + (position % 16 * code.RecordWords), code.RecordWords);
    }

    /// <summary>A stored reference, widened.</summary>
    internal double[] Reference(uint[] references, int layer, int sequence, int ordinal)
    {
        var block = referenceTable[(sequence * blockStride) + (ordinal / 16)];
        var row = references.AsSpan((((block * Codecs.Length) + layer) * 16 + (ordinal % 16)) * ReferenceWords, ReferenceWords);
        var result = new double[Tables.Width];
        for (var i = 0; i < result.Length; i++)
        {
            var perWord = 32 / ReferenceBits;
            var j = i % perWord;
            if (ReferenceBits == 16)
            {
                result[i] = (double)BitConverter.UInt16BitsToHalf((ushort)(row[i / 2] >> (16 * j)));
                continue;
            }

            var scale = row[(Tables.Width / perWord) + (i / Shape.HeadDim)];
            var code = (row[i / perWord] >> ((ReferenceBits * (j >> 1)) + (16 * (j & 1)))) & ((1u << ReferenceBits) - 1);
            var (step, zero) = (BitConverter.UInt16BitsToHalf((ushort)scale), BitConverter.UInt16BitsToHalf((ushort)(scale >> 16)));
            result[i] = (double)(System.Half)(((double)step * code) + (double)zero);
        }

        return result;
    }

    internal void Rotate(Span<double> head, int position, bool back)
    {
        var half = Shape.HeadDim / 2;
        for (var i = 0; i < half; i++)
        {
            // The angle is rounded to fp32 as on the device.
            var (sin, cos) = Math.SinCos(position * Frequencies[i]);
            sin = back ? -sin : sin;
            (head[i], head[i + half]) = ((head[i] * cos) - (head[i + half] * sin), (head[i + half] * cos) + (head[i] * sin));
        }
    }

    internal ArrayView<T> Upload<T>(T[] data)
        where T : unmanaged => Own(device.Upload(data)).View;

    public void Dispose() => buffers.ForEach(buffer => buffer.Dispose());

    private MemoryBuffer1D<T, Stride1D.Dense> Poisoned<T>(int length)
        where T : unmanaged => Own(device.Poisoned<T>(length));

    private T Own<T>(T buffer)
        where T : IDisposable
    {
        buffers.Add(buffer);
        return buffer;
    }

    private double[][] Rows(Random random, int length)
    {
        // Clusters, so that nearest references mean something.
        var centers = Enumerable.Range(0, 5).Select(_ => Vector(random, 2f)).ToArray();
        return [.. Enumerable.Range(0, length).Select(_ =>
        {
            var center = centers[random.Next(5)];
            var noise = Vector(random, 0.5f);
            return center.Zip(noise, (a, b) => a + b).ToArray();
        })];
    }

    private double[] Vector(Random random, float scale) => [.. Enumerable.Range(0, Tables.Width).Select(_ => (double)(scale * ((2 * random.NextSingle()) - 1)))];

    private (int[] Table, int Blocks) Scatter(Random random, int stride)
    {
        var table = new int[Lengths.Length * stride];
        var order = Enumerable.Range(0, table.Length).ToArray();
        random.Shuffle(order);
        order.CopyTo(table, 0);
        return (table, table.Length);
    }

    private (BFloat16[] Keys, BFloat16[] Values) RawBlocks(int[] table)
    {
        var (dim, heads) = (Shape.HeadDim, Shape.KeyHeads);
        var keys = new BFloat16[Codecs.Length * LayerElements];
        var values = new BFloat16[keys.Length];
        Array.Fill(keys, BFloat16.FromSingle(float.NaN));
        Array.Fill(values, BFloat16.FromSingle(float.NaN));
        for (var layer = 0; layer < Codecs.Length; layer++)
        {
            for (var s = 0; s < Lengths.Length; s++)
            {
                for (var p = 0; p < Lengths[s]; p++)
                {
                    var row = Kv[layer][s][p];
                    for (var h = 0; h < heads; h++)
                    {
                        var at = (layer * LayerElements) + ((((table[(s * blockStride) + (p / 16)] * heads) + h) * 16) + (p % 16)) * dim;
                        var key = row.AsSpan(h * dim, dim);
                        var value = row.AsSpan((heads + h) * dim, dim);
                        Rotate(key, p, back: false);
                        for (var i = 0; i < dim; i++)
                        {
                            keys[at + i] = BFloat16.FromSingle((float)key[i]);
                            values[at + i] = BFloat16.FromSingle((float)value[i]);
                            key[i] = keys[at + i];
                            value[i] = values[at + i];
                        }

                        Rotate(key, p, back: true);
                    }
                }
            }
        }

        return (keys, values);
    }
}
