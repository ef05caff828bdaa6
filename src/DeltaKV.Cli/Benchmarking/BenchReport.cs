namespace DeltaKV.Cli.Benchmarking;

/// <summary>Everything a run of <c>deltakv bench</c> measured.</summary>
/// <param name="Model">The shape or the directory.</param>
/// <param name="RandomWeights">Whether the weights were made on the device.</param>
/// <param name="KvMethod">How keys and values are kept.</param>
/// <param name="Device">Where it ran.</param>
/// <param name="WeightBytes">Bytes of the weights.</param>
/// <param name="KvBytesPerToken">Bytes of keys and values of a token.</param>
/// <param name="CopyGigabytesPerSecond">Copy bandwidth of this run, read and written bytes counted.</param>
/// <param name="Samples">Decode steps a median is taken of.</param>
internal sealed record BenchReport(
    string Model, bool RandomWeights, string KvMethod, string Device, long WeightBytes, long KvBytesPerToken, double CopyGigabytesPerSecond, int Samples)
{
    public List<DecodeRow> Decode { get; } = [];

    public List<PrefillRow> Prefill { get; } = [];

    /// <summary>What could not be measured, and why.</summary>
    public List<string> Failures { get; } = [];
}
