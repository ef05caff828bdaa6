using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>The device memory behind the block numbers of a coded cache, pool by pool.</summary>
internal sealed class CodedMemory : IDisposable
{
    private readonly CodedKvFormat format;
    private readonly CodedKvCapacity capacity;
    private readonly DeviceBuffers buffers;
    private readonly ArrayView<BFloat16> full;

    internal CodedMemory(Accelerator accelerator, CodedKvFormat format, CodedKvCapacity capacity)
    {
        (this.format, this.capacity) = (format, capacity);
        buffers = new DeviceBuffers(accelerator);
        full = buffers.Allocate<BFloat16>(2 * format.RawLayerCount * FullLayerElements);
        WindowKeys = buffers.Allocate<BFloat16>(format.WindowLayerCount * WindowLayerElements);
        WindowValues = buffers.Allocate<BFloat16>(format.WindowLayerCount * WindowLayerElements);
        Records = buffers.Allocate<uint>(capacity.CodeBlocks * format.RecordBlockBytes / sizeof(uint));
        Kivi = buffers.Allocate<UInt4>(capacity.CodeBlocks * format.KiviBlockBytes / 16);
        References = buffers.Allocate<uint>(format.HasReferences ? capacity.ReferenceBlocks * ReferenceBlockWords : 4);
        Norms = buffers.Allocate<float>(format.HasReferences ? capacity.ReferenceBlocks * ReferenceBlockRows : 0);
        Sketches = buffers.Allocate<UInt4>(format.HasSketches ? capacity.ReferenceBlocks * ReferenceBlockRows * Sketch.Pieces : 0);
        SketchScales = buffers.Allocate<Float2>(format.HasSketches ? capacity.ReferenceBlocks * ReferenceBlockRows : 0);
    }

    /// <summary>Codes of linear codecs.</summary>
    internal ArrayView<uint> Records { get; }

    /// <summary>Layers quantised as in KIVI.</summary>
    internal ArrayView<UInt4> Kivi { get; }

    /// <summary>References.</summary>
    internal ArrayView<uint> References { get; }

    /// <summary>Squared norms of the references.</summary>
    internal ArrayView<float> Norms { get; }

    /// <summary>Sketches of the references.</summary>
    internal ArrayView<UInt4> Sketches { get; }

    /// <summary>Steps and squared norms of the sketches.</summary>
    internal ArrayView<Float2> SketchScales { get; }

    /// <summary>Elements of the raw keys, or values, of one compressed layer.</summary>
    internal long WindowLayerElements => capacity.WindowBlocks * WindowBlockElements;

    /// <summary>Raw keys of all compressed layers.</summary>
    internal ArrayView<BFloat16> WindowKeys { get; }

    /// <summary>Raw values of all compressed layers.</summary>
    internal ArrayView<BFloat16> WindowValues { get; }

    /// <summary>All bytes of the pools.</summary>
    internal long Bytes => buffers.Bytes;

    private long FullLayerElements => (long)capacity.FullBlocks * format.Shape.BlockElements;

    private long WindowBlockElements => (long)CodedKvFormat.BlockTokens * format.Shape.KeyHeads * format.Shape.HeadDim;

    private long ReferenceBlockRows => (long)CodedKvFormat.BlockTokens * format.ReferenceLayers;

    private long ReferenceBlockWords => ReferenceBlockRows * format.ReferenceWords;

    /// <summary>Keys (even) or values (odd) of a raw layer.</summary>
    internal ArrayView<BFloat16> FullPart(int part) => full.SubView(part * FullLayerElements, FullLayerElements);

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

    public void Dispose() => buffers.Dispose();
}
