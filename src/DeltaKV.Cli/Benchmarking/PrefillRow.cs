namespace DeltaKV.Cli.Benchmarking;

/// <summary>A measured prompt.</summary>
/// <param name="Length">Tokens.</param>
/// <param name="Chunk">Tokens computed in one step.</param>
/// <param name="Ms">Median time of the whole prompt.</param>
/// <param name="CompressionMs">Mean time of it that compression takes: searching references, encoding, choosing what to evict.</param>
/// <param name="CompressionShare">That over the whole prompt.</param>
/// <param name="TokensPerSecond">Its speed.</param>
/// <param name="TeraflopsPerSecond">Operations of the matrix products and of causal attention over the time.</param>
/// <param name="DeviceBytes">All bytes allocated on the device.</param>
internal sealed record PrefillRow(
    int Length, int Chunk, double Ms, double CompressionMs, double CompressionShare, double TokensPerSecond, double TeraflopsPerSecond, long DeviceBytes)
{
    internal static PrefillRow Of(int length, int chunk, double ms, double compressionMs, double operations, long deviceBytes) =>
        new(length, chunk, ms, compressionMs, compressionMs / ms, length / ms * 1e3, operations / ms / 1e9, deviceBytes);
}
