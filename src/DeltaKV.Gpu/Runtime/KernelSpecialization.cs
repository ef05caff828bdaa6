namespace DeltaKV.Gpu;

/// <summary>What the register allocator may assume about the launches of a kernel.</summary>
public readonly record struct KernelSpecialization
{
    /// <summary>Assumes nothing.</summary>
    public static readonly KernelSpecialization Empty;

    /// <summary>Bounds the group size and asks for a number of resident groups.</summary>
    /// <param name="maxNumThreadsPerGroup">The largest group the kernel will be launched with.</param>
    /// <param name="minNumGroupsPerMultiprocessor">The number of groups that should fit on a multiprocessor.</param>
    public KernelSpecialization(int? maxNumThreadsPerGroup, int? minNumGroupsPerMultiprocessor)
    {
        if (maxNumThreadsPerGroup is < 1 or > 1024)
            throw new ArgumentOutOfRangeException(nameof(maxNumThreadsPerGroup), maxNumThreadsPerGroup, "A group has 1 to 1024 threads.");
        if (minNumGroupsPerMultiprocessor < 1)
            throw new ArgumentOutOfRangeException(nameof(minNumGroupsPerMultiprocessor), minNumGroupsPerMultiprocessor, "At least one group must fit.");
        if (minNumGroupsPerMultiprocessor is not null && maxNumThreadsPerGroup is null)
            throw new ArgumentException("A number of resident groups means something only with a largest group size.", nameof(minNumGroupsPerMultiprocessor));
        MaxNumThreadsPerGroup = maxNumThreadsPerGroup;
        MinNumGroupsPerMultiprocessor = minNumGroupsPerMultiprocessor;
    }

    /// <summary>The largest group the kernel will be launched with.</summary>
    public int? MaxNumThreadsPerGroup { get; }

    /// <summary>The number of groups that should fit on a multiprocessor.</summary>
    public int? MinNumGroupsPerMultiprocessor { get; }
}
