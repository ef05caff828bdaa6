namespace DeltaKV.Benchmarks.Kernels;

/// <summary>A measured row.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Microseconds">Median time of a launch.</param>
/// <param name="GigabytesPerSecond">Bytes that must move over time, if memory is the bound.</param>
/// <param name="ShareOfCopy">That over the copy bandwidth of the same run.</param>
/// <param name="TeraflopsPerSecond">Operations over time, if the tensor cores are the bound.</param>
/// <param name="TwinMicroseconds">Time of the CUDA C++ twin in the same run.</param>
/// <param name="PeerMicroseconds">Time of the best peer in the same run.</param>
internal sealed record KernelRow(
    string Name,
    double Microseconds,
    double? GigabytesPerSecond,
    double? ShareOfCopy,
    double? TeraflopsPerSecond,
    double? TwinMicroseconds,
    double? PeerMicroseconds)
{
    /// <summary>Our speed over the twin's.</summary>
    public double? RatioToTwin => TwinMicroseconds / Microseconds;

    /// <summary>Our speed over the peer's.</summary>
    public double? RatioToPeer => PeerMicroseconds / Microseconds;
}
