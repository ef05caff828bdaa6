using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>The device memory behind the block numbers of a coded cache, pool by pool.</summary>
internal sealed class CodedMemory : IDisposable
{
    private readonly CodedKvFormat format;
    private readonly CodedKvCapacity capacity;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> full;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> windowKeys;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> windowValues;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> records;
    private readonly MemoryBuffer1D<UInt4, Stride1D.Dense> kivi;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> references;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> norms;
    private readonly MemoryBuffer1D<UInt4, Stride1D.Dense> sketches;
    private readonly MemoryBuffer1D<Float2, Stride1D.Dense> sketchScales;

    internal CodedMemory(Accelerator accelerator, CodedKvFormat format, CodedKvCapacity capacity)
    {
        (this.format, this.capacity) = (format, capacity);
        full = accelerator.Allocate1D<BFloat16>(Math.Max(2 * format.RawLayerCount * FullLayerElements, 1));
        windowKeys = accelerator.Allocate1D<BFloat16>(format.WindowLayerCount * WindowLayerElements);
        windowValues = accelerator.Allocate1D<BFloat16>(format.WindowLayerCount * WindowLayerElements);
        records = accelerator.Allocate1D<uint>(Math.Max(capacity.CodeBlocks * format.RecordBlockBytes / sizeof(uint), 1));
        kivi = accelerator.Allocate1D<UInt4>(Math.Max(capacity.CodeBlocks * format.KiviBlockBytes / 16, 1));
        references = accelerator.Allocate1D<uint>(format.HasReferences ? capacity.ReferenceBlocks * ReferenceBlockWords : 4);
        norms = accelerator.Allocate1D<float>(format.HasReferences ? capacity.ReferenceBlocks * ReferenceBlockRows : 1);
        sketches = accelerator.Allocate1D<UInt4>(format.HasSketches ? capacity.ReferenceBlocks * ReferenceBlockRows * Sketch.Pieces : 1);
        sketchScales = accelerator.Allocate1D<Float2>(format.HasSketches ? capacity.ReferenceBlocks * ReferenceBlockRows : 1);
    }

    /// <summary>Codes of linear codecs.</summary>
    internal ArrayView<uint> Records => records.View;

    /// <summary>Layers quantised as in KIVI.</summary>
    internal ArrayView<UInt4> Kivi => kivi.View;

    /// <summary>References.</summary>
    internal ArrayView<uint> References => references.View;

    /// <summary>Squared norms of the references.</summary>
    internal ArrayView<float> Norms => norms.View;

    /// <summary>Sketches of the references.</summary>
    internal ArrayView<UInt4> Sketches => sketches.View;

    /// <summary>Steps and squared norms of the sketches.</summary>
    internal ArrayView<Float2> SketchScales => sketchScales.View;

    /// <summary>Elements of the raw keys, or values, of one compressed layer.</summary>
    internal long WindowLayerElements => capacity.WindowBlocks * WindowBlockElements;

    /// <summary>Raw keys of all compressed layers.</summary>
    internal ArrayView<BFloat16> WindowKeys => windowKeys.View;

    /// <summary>Raw values of all compressed layers.</summary>
    internal ArrayView<BFloat16> WindowValues => windowValues.View;

    /// <summary>All bytes of the pools.</summary>
    internal long Bytes => full.LengthInBytes + windowKeys.LengthInBytes + windowValues.LengthInBytes
        + records.LengthInBytes + kivi.LengthInBytes + references.LengthInBytes + norms.LengthInBytes + sketches.LengthInBytes + sketchScales.LengthInBytes;

    private long FullLayerElements => (long)capacity.FullBlocks * format.Shape.BlockElements;

    private long WindowBlockElements => (long)CodedKvFormat.BlockTokens * format.Shape.KeyHeads * format.Shape.HeadDim;

    private long ReferenceBlockRows => (long)CodedKvFormat.BlockTokens * format.ReferenceLayers;

    private long ReferenceBlockWords => ReferenceBlockRows * format.ReferenceWords;

    /// <summary>Keys (even) or values (odd) of a raw layer.</summary>
    internal ArrayView<BFloat16> FullPart(int part) => full.View.BaseView.SubView(part * FullLayerElements, FullLayerElements);

    internal void CopyFull(AcceleratorStream stream, int source, int target)
    {
        long size = format.Shape.BlockElements;
        for (var part = 0; part < 2 * format.RawLayerCount; part++)
            FullPart(part).SubView(source * size, size).CopyTo(stream, FullPart(part).SubView(target * size, size));
    }

    internal void CopyWindow(AcceleratorStream stream, int source, int target)
    {
        for (var layer = 0; layer < format.WindowLayerCount; layer++)
        {
            var first = layer * WindowLayerElements;
            Copy(WindowKeys);
            Copy(WindowValues);

            void Copy(ArrayView<BFloat16> all) => all.SubView(first + (source * WindowBlockElements), WindowBlockElements)
                .CopyTo(stream, all.SubView(first + (target * WindowBlockElements), WindowBlockElements));
        }
    }

    internal void CopyReferences(AcceleratorStream stream, int source, int target)
    {
        References.SubView(source * ReferenceBlockWords, ReferenceBlockWords).CopyTo(stream, References.SubView(target * ReferenceBlockWords, ReferenceBlockWords));
        Norms.SubView(source * ReferenceBlockRows, ReferenceBlockRows).CopyTo(stream, Norms.SubView(target * ReferenceBlockRows, ReferenceBlockRows));
        if (!format.HasSketches)
            return;
        var pieces = ReferenceBlockRows * Sketch.Pieces;
        Sketches.SubView(source * pieces, pieces).CopyTo(stream, Sketches.SubView(target * pieces, pieces));
        SketchScales.SubView(source * ReferenceBlockRows, ReferenceBlockRows).CopyTo(stream, SketchScales.SubView(target * ReferenceBlockRows, ReferenceBlockRows));
    }

    public void Dispose()
    {
        full.Dispose();
        windowKeys.Dispose();
        windowValues.Dispose();
        records.Dispose();
        kivi.Dispose();
        references.Dispose();
        norms.Dispose();
        sketches.Dispose();
        sketchScales.Dispose();
    }
}
