namespace DeltaKV.Gpu;

/// <summary>Promises how large a kernel's groups are, so that the driver can give each thread more registers. An extension to ILGPU's dialect.</summary>
/// <param name="maxThreads">The most threads a group will have.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LaunchBoundsAttribute(int maxThreads) : Attribute
{
    /// <summary>The most threads a group will have.</summary>
    public int MaxThreads { get; } = maxThreads;

    /// <summary>How many groups should fit on a multiprocessor at once; 0 leaves it to the driver.</summary>
    public int MinBlocks { get; init; }
}
