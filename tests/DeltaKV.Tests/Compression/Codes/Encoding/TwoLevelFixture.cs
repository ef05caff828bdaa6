using System.Runtime.InteropServices;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Codes.Encoding;

/// <summary>One sequence and layer of given rows whose references are stored, in scattered blocks, and some of whose tokens are searched in two levels.</summary>
internal sealed class TwoLevelFixture : IDisposable
{
    private readonly KernelFixture device;
    private readonly List<IDisposable> buffers = [];
    private readonly int referenceWords;
    private readonly FlushView all;
    private readonly int[] table;

    internal TwoLevelFixture(KernelFixture device, float[][] rows, int keyHeads, int headDim, int stride, int referenceBits)
    {
        this.device = device;
        (Rows, Stride, ReferenceBits) = (rows, stride, referenceBits);
        var tables = Own(new CodeTables(device.Accelerator, [CodecSamples.Create("token4", keyHeads, headDim, 4, 1)]));
        var references = ((rows.Length - 1) / stride) + 1;
        table = [.. Enumerable.Range(0, (references + 15) / 16)];
        new Random(3).Shuffle(table);
        referenceWords = ReferenceRow.WordsOf(referenceBits, 2 * keyHeads, headDim);
        Width = tables.Width;
        HalfRows = rows.SelectMany(row => row.Chunk(2).Select(pair => Bits(pair[0]) | (Bits(pair[1]) << 16))).ToArray();
        References = Own(device.Poisoned<uint>(table.Length * 16 * referenceWords));
        Norms = Own(device.Poisoned<float>(table.Length * 16));
        Sketches = Own(device.Poisoned<UInt4>(rows.Length * Sketch.Pieces));
        SketchSteps = Own(device.Poisoned<float>(rows.Length));
        ReferenceSketches = Own(device.Poisoned<UInt4>(table.Length * 16 * Sketch.Pieces));
        ReferenceScales = Own(device.Poisoned<Float2>(table.Length * 16));
        Coarse = Own(device.Poisoned<int>(rows.Length * Sketch.Candidates));
        Found = Own(device.Poisoned<Candidate>(rows.Length * 8));
        all = new FlushView
        {
            Pool = new CodePoolView
            {
                References = References.View,
                ReferenceNorms = Norms.View,
                ReferenceTables = Upload(table),
                ReferenceStride = table.Length,
                ReferenceBits = referenceBits,
                ReferenceWords = referenceWords,
                Layers = 1,
                ReferenceLayers = 1,
                KeyHeads = keyHeads,
                LayerCodes = tables.LayerCodes,
            },
            Items = Upload(Enumerable.Range(0, rows.Length / 16).Select(i => new FlushItem(0, 16 * i)).ToArray()),
            Rows = Upload(HalfRows),
            Sketches = Sketches.View,
            SketchSteps = SketchSteps.View,
            ReferenceSketches = ReferenceSketches.View,
            ReferenceScales = ReferenceScales.View,
            CoarseCandidates = Coarse.View,
            Candidates = Found.View,
            ItemCount = rows.Length / 16,
            TwoLevelFrom = 1,
            Splits = 2,
            Stride = stride,
            HeadDim = headDim,
        };
        new StoreReferencesKernel(device.Accelerator).Launch(device.Stream, all);
        new SketchKernel(device.Accelerator).Launch(device.Stream, all);
    }

    internal float[][] Rows { get; }

    internal int Width { get; }

    internal int Stride { get; }

    internal int ReferenceBits { get; }

    internal uint[] HalfRows { get; }

    internal MemoryBuffer1D<uint, Stride1D.Dense> References { get; }

    internal MemoryBuffer1D<float, Stride1D.Dense> Norms { get; }

    internal MemoryBuffer1D<UInt4, Stride1D.Dense> Sketches { get; }

    internal MemoryBuffer1D<float, Stride1D.Dense> SketchSteps { get; }

    internal MemoryBuffer1D<UInt4, Stride1D.Dense> ReferenceSketches { get; }

    internal MemoryBuffer1D<Float2, Stride1D.Dense> ReferenceScales { get; }

    internal MemoryBuffer1D<int, Stride1D.Dense> Coarse { get; }

    internal MemoryBuffer1D<Candidate, Stride1D.Dense> Found { get; }

    /// <summary>Searches from 16-token items, groups of up to four, and returns what was found: per token the candidates and the best of them.</summary>
    internal (int[][] Candidates, int[][] Nearest) Search(int firstItem, int itemCount)
    {
        var flush = all with
        {
            Items = all.Items.SubView(firstItem, itemCount),
            Rows = all.Rows.SubView(firstItem * 16L * Width / 2),
            Sketches = all.Sketches.SubView(firstItem * 16L * Sketch.Pieces),
            SketchSteps = all.SketchSteps.SubView(firstItem * 16L),
            Groups = Upload(Enumerable.Range(0, (itemCount + 3) / 4).Select(i => new SearchGroup(4 * i, Math.Min(4, itemCount - (4 * i)))).ToArray()),
            ItemCount = itemCount,
        };
        new CoarseSearchKernel(device.Accelerator).Launch(device.Stream, flush, (itemCount + 3) / 4);
        new RefineKernel(device.Accelerator).Launch(device.Stream, flush);
        device.Stream.Synchronize();
        var candidates = Coarse.GetAsArray1D().Take(itemCount * 16 * Sketch.Candidates).Chunk(Sketch.Candidates).ToArray();
        var nearest = Found.GetAsArray1D().Take(itemCount * 16 * 8).Select(found => found.Ordinal).Chunk(8).ToArray();
        return (candidates, nearest);
    }

    /// <summary>The tokens' sketches in units of the rows.</summary>
    internal float[][] TokenSketches()
    {
        var sums = MemoryMarshal.Cast<UInt4, sbyte>(Sketches.GetAsArray1D()).ToArray().Chunk(Sketch.Width).Take(Rows.Length);
        return [.. sums.Zip(SketchSteps.GetAsArray1D(), (own, step) => Array.ConvertAll(own, sum => step * sum))];
    }

    /// <summary>Place of a reference's row among all of its block.</summary>
    internal int PlaceOf(int ordinal) => (table[ordinal / 16] * 16) + (ordinal % 16);

    /// <summary>A stored reference, widened.</summary>
    internal float[] Reference(uint[] references, int ordinal, int headDim)
    {
        var row = references.AsSpan(PlaceOf(ordinal) * referenceWords, referenceWords);
        var result = new float[Width];
        var perWord = 32 / ReferenceBits;
        for (var i = 0; i < result.Length; i++)
        {
            var j = i % perWord;
            if (ReferenceBits == 16)
            {
                result[i] = (float)BitConverter.UInt16BitsToHalf((ushort)(row[i / 2] >> (16 * j)));
                continue;
            }

            var scale = row[(Width / perWord) + (i / headDim)];
            var code = (row[i / perWord] >> ((ReferenceBits * (j >> 1)) + (16 * (j & 1)))) & ((1u << ReferenceBits) - 1);
            result[i] = ((float)BitConverter.UInt16BitsToHalf((ushort)scale) * code) + (float)BitConverter.UInt16BitsToHalf((ushort)(scale >> 16));
        }

        return result;
    }

    public void Dispose() => buffers.ForEach(buffer => buffer.Dispose());

    private static uint Bits(float value) => BitConverter.HalfToUInt16Bits((System.Half)value);

    private ArrayView<T> Upload<T>(T[] data)
        where T : unmanaged => Own(device.Upload(data)).View;

    private T Own<T>(T buffer)
        where T : IDisposable
    {
        buffers.Add(buffer);
        return buffer;
    }
}
