namespace DeltaKV.Gpu;

/// <summary>How an explicitly grouped kernel is launched: groups, threads per group, and dynamic shared memory.</summary>
public readonly record struct KernelConfig
{
    /// <summary>A launch of a 3D grid of 3D groups with dynamic shared memory.</summary>
    /// <param name="gridDim">The number of groups.</param>
    /// <param name="groupDim">The number of threads of a group.</param>
    /// <param name="sharedMemoryConfig">The dynamic shared memory of a group.</param>
    public KernelConfig(Index3D gridDim, Index3D groupDim, SharedMemoryConfig sharedMemoryConfig)
    {
        GridDim = gridDim;
        GroupDim = groupDim;
        SharedMemoryConfig = sharedMemoryConfig;
    }

    /// <summary>A launch of <paramref name="gridDim"/> groups of <paramref name="groupDim"/> threads.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim)
        : this(gridDim, groupDim, default)
    {
    }

    /// <summary>A launch with dynamic shared memory.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim, SharedMemoryConfig sharedMemoryConfig)
        : this(new Index3D(gridDim, 1, 1), new Index3D(groupDim, 1, 1), sharedMemoryConfig)
    {
    }

    /// <summary>A launch of a 2D grid of 2D groups.</summary>
    public KernelConfig(Index2D gridDim, Index2D groupDim)
        : this(gridDim, groupDim, default)
    {
    }

    /// <summary>A launch of a 2D grid of 2D groups with dynamic shared memory.</summary>
    public KernelConfig(Index2D gridDim, Index2D groupDim, SharedMemoryConfig sharedMemoryConfig)
        : this(new Index3D(gridDim.X, gridDim.Y, 1), new Index3D(groupDim.X, groupDim.Y, 1), sharedMemoryConfig)
    {
    }

    /// <summary>A launch of a 3D grid of 3D groups.</summary>
    public KernelConfig(Index3D gridDim, Index3D groupDim)
        : this(gridDim, groupDim, default)
    {
    }

    /// <summary>The number of groups.</summary>
    public Index3D GridDim { get; }

    /// <summary>The number of threads of a group.</summary>
    public Index3D GroupDim { get; }

    /// <summary>The dynamic shared memory of a group.</summary>
    public SharedMemoryConfig SharedMemoryConfig { get; }

    /// <summary>Whether groups get dynamic shared memory.</summary>
    public bool UsesDynamicSharedMemory => SharedMemoryConfig.UsesDynamicSharedMemory;

    /// <summary>Whether every dimension is positive.</summary>
    public bool IsValid => GridDim.X > 0 && GridDim.Y > 0 && GridDim.Z > 0 && GroupDim.X > 0 && GroupDim.Y > 0 && GroupDim.Z > 0;

    /// <summary>The number of threads of the launch.</summary>
    public long Size => GridDim.LongSize * GroupDim.LongSize;

    /// <summary>Groups and threads per group.</summary>
    public static implicit operator KernelConfig((Index1D Grid, Index1D Group) dimensions) => new(dimensions.Grid, dimensions.Group);

    /// <summary>Groups and threads per group.</summary>
    public static implicit operator KernelConfig((Index3D Grid, Index1D Group) dimensions) => new(dimensions.Grid, new Index3D(dimensions.Group, 1, 1));

    /// <summary>Groups and threads per group.</summary>
    public static implicit operator KernelConfig((Index3D Grid, Index2D Group) dimensions) =>
        new(dimensions.Grid, new Index3D(dimensions.Group.X, dimensions.Group.Y, 1));

    /// <summary>Groups and threads per group.</summary>
    public static implicit operator KernelConfig((Index2D Grid, Index2D Group) dimensions) => new(dimensions.Grid, dimensions.Group);

    /// <summary>Groups and threads per group.</summary>
    public static implicit operator KernelConfig((Index3D Grid, Index3D Group) dimensions) => new(dimensions.Grid, dimensions.Group);

    /// <summary>Groups, threads per group and dynamic shared memory.</summary>
    public static implicit operator KernelConfig((Index1D Grid, Index1D Group, SharedMemoryConfig Shared) dimensions) =>
        new(dimensions.Grid, dimensions.Group, dimensions.Shared);

    /// <summary>Groups, threads per group and dynamic shared memory.</summary>
    public static implicit operator KernelConfig((Index3D Grid, Index3D Group, SharedMemoryConfig Shared) dimensions) =>
        new(dimensions.Grid, dimensions.Group, dimensions.Shared);

    /// <inheritdoc/>
    public override string ToString() => $"grid {GridDim}, group {GroupDim}, {SharedMemoryConfig.ArraySize} bytes of dynamic shared memory";
}
