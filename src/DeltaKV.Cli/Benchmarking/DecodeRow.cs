namespace DeltaKV.Cli.Benchmarking;

/// <summary>A measured decode step.</summary>
/// <param name="Batch">Sequences.</param>
/// <param name="Context">Tokens of each.</param>
/// <param name="MsPerStep">Median time of a step.</param>
/// <param name="TokensPerSecond">Over all sequences.</param>
/// <param name="BytesPerStep">What the step must read.</param>
/// <param name="GigabytesPerSecond">That over the time.</param>
/// <param name="FloorMs">That over the copy bandwidth of the same run.</param>
/// <param name="ShareOfFloor">The floor over the time; 1 is as fast as a copy.</param>
/// <param name="KvBytes">Measured bytes of keys and values, tables and padding included.</param>
/// <param name="KvRatio">That over an uncompressed bf16 cache of the same tokens.</param>
/// <param name="DeviceBytes">All bytes allocated on the device.</param>
internal sealed record DecodeRow(
    int Batch,
    int Context,
    double MsPerStep,
    double TokensPerSecond,
    long BytesPerStep,
    double GigabytesPerSecond,
    double FloorMs,
    double ShareOfFloor,
    long KvBytes,
    double KvRatio,
    long DeviceBytes)
{
    /// <summary>Parts of the step, when they were asked for.</summary>
    public IReadOnlyList<StepPart> Parts { get; init; } = [];

    internal static DecodeRow Of(BenchSize size, double ms, long bytes, double copyGigabytesPerSecond, long kvBytes, long kvBytesPerToken, long deviceBytes)
    {
        var floor = bytes / copyGigabytesPerSecond / 1e6;
        var ratio = (double)kvBytes / ((long)size.Batch * size.Context * kvBytesPerToken);
        return new DecodeRow(size.Batch, size.Context, ms, size.Batch / ms * 1e3, bytes, bytes / ms / 1e6, floor, floor / ms, kvBytes, ratio, deviceBytes);
    }
}
