using DeltaKV.Gpu;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>The yardstick: a copy within device memory, read and written bytes counted.</summary>
internal static class CopyBandwidth
{
    /// <summary>Far beyond every cache.</summary>
    private const long GpuBytes = 1L << 30;

    /// <summary>Enough for a processor, whose memory is slower.</summary>
    private const long CpuBytes = 1L << 26;

    internal static double MeasureGigabytesPerSecond(AcceleratorStream stream, int samples, CancellationToken cancellation)
    {
        var accelerator = stream.Accelerator;
        var bytes = accelerator.AcceleratorType == AcceleratorType.CPU ? CpuBytes : GpuBytes;
        using var source = accelerator.Allocate1D<byte>(bytes);
        using var target = accelerator.Allocate1D<byte>(bytes);
        ArrayView<byte> from = source.View, to = target.View;
        from.MemSet(stream, 0x5a);
        var ms = new EventTimer(stream).MedianMs(3, samples, () => from.CopyTo(stream, to), cancellation);
        return 2 * bytes / ms / 1e6;
    }
}
