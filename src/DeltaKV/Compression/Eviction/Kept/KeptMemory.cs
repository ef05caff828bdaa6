using DeltaKV.Gpu;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>The device memory behind the numbers of coded blocks, kind by kind.</summary>
internal sealed class KeptMemory : IDisposable
{
    private readonly MemoryBuffer1D<UInt4, Stride1D.Dense>[] codes;
    private readonly MemoryBuffer1D<int, Stride1D.Dense>[] positions;

    internal KeptMemory(Accelerator accelerator, KeptFormat format, IReadOnlyList<int> blocks)
    {
        codes = [.. blocks.Select((count, kind) => accelerator.Allocate1D<UInt4>(Math.Max(1, count * format.CodeBytes(kind) / 16)))];
        positions = [.. blocks.Select((count, kind) => accelerator.Allocate1D<int>(Math.Max(1L, (long)count * format.PositionTokens[kind])))];
    }

    /// <summary>Codes of a kind.</summary>
    internal ArrayView<UInt4> Codes(int kind) => codes[kind].View;

    /// <summary>Positions of the tokens of a kind <c>[blocks, tokens]</c>.</summary>
    internal ArrayView<int> Positions(int kind) => positions[kind].View;

    public void Dispose()
    {
        foreach (var buffer in codes)
            buffer.Dispose();
        foreach (var buffer in positions)
            buffer.Dispose();
    }
}
