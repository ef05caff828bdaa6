using DeltaKV.Gpu;

namespace DeltaKV.Compression.Eviction;

/// <summary>The device memory behind the block numbers of an evicting cache; a block belongs to whichever layer took it.</summary>
internal sealed class EvictionMemory : IDisposable
{
    private readonly EvictionFormat format;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> keys;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> values;
    private readonly MemoryBuffer1D<float, Stride1D.Dense>? marks;
    private readonly MemoryBuffer1D<int, Stride1D.Dense>? positions;

    internal EvictionMemory(Accelerator accelerator, EvictionFormat format, int blocks)
    {
        this.format = format;
        keys = accelerator.Allocate1D<BFloat16>((long)blocks * format.Shape.BlockElements);
        values = accelerator.Allocate1D<BFloat16>((long)blocks * format.Shape.BlockElements);
        positions = format.PositionBytes > 0 ? accelerator.Allocate1D<int>((long)blocks * EvictionFormat.BlockTokens) : null;
        marks = format.HasMarks ? accelerator.Allocate1D<float>((long)blocks * MarkElements) : null;
    }

    /// <summary>Keys <c>[blocks, keyHeads, 64, d]</c>, after RoPE.</summary>
    internal ArrayView<BFloat16> Keys => keys.View;

    /// <summary>Values of the same shape.</summary>
    internal ArrayView<BFloat16> Values => values.View;

    /// <summary>Attention received <c>[blocks, keyHeads, 64]</c>, or an empty view.</summary>
    internal ArrayView<float> Marks => marks?.View ?? default(ArrayView<float>);

    /// <summary>Positions of tokens that evictions have moved <c>[blocks, 64]</c>, or an empty view.</summary>
    internal ArrayView<int> Positions => positions?.View ?? default(ArrayView<int>);

    private int MarkElements => format.Shape.KeyHeads * EvictionFormat.BlockTokens;

    internal void Copy(AcceleratorStream stream, int source, int target)
    {
        Copy(stream, Keys, format.Shape.BlockElements, source, target);
        Copy(stream, Values, format.Shape.BlockElements, source, target);
        if (format.HasMarks)
            Copy(stream, Marks, MarkElements, source, target);
        if (positions is not null)
            Copy(stream, Positions, EvictionFormat.BlockTokens, source, target);
    }

    public void Dispose()
    {
        keys.Dispose();
        values.Dispose();
        marks?.Dispose();
        positions?.Dispose();
    }

    private static void Copy<T>(AcceleratorStream stream, ArrayView<T> all, long size, int source, int target)
        where T : unmanaged => all.SubView(source * size, size).CopyTo(stream, all.SubView(target * size, size));
}
