namespace DeltaKV.Gpu;

/// <summary>A device that kernels can run on; <see cref="CreateAccelerator"/> opens it.</summary>
public abstract class Device
{
    private protected Device()
    {
    }

    /// <summary>What executes the kernels.</summary>
    public abstract AcceleratorType AcceleratorType { get; }

    /// <summary>The name to show.</summary>
    public string Name { get; private protected init; } = "";

    /// <summary>The bytes of its memory.</summary>
    public long MemorySize { get; private protected init; }

    /// <summary>The largest grid, in groups.</summary>
    public Index3D MaxGridSize { get; private protected init; }

    /// <summary>The largest extent of a group per dimension.</summary>
    public Index3D MaxGroupSize { get; private protected init; }

    /// <summary>The most threads of a group.</summary>
    public int MaxNumThreadsPerGroup { get; private protected init; }

    /// <summary>The shared memory of a group without opting in.</summary>
    public int MaxSharedMemoryPerGroup { get; private protected init; }

    /// <summary>Extension: the shared memory of a group when dynamic shared memory is asked for.</summary>
    public int MaxDynamicSharedMemoryPerGroup { get; private protected init; }

    /// <summary>The bytes of constant memory.</summary>
    public int MaxConstantMemory { get; private protected init; }

    /// <summary>The threads of a warp.</summary>
    public int WarpSize { get; private protected init; }

    /// <summary>The number of multiprocessors.</summary>
    public int NumMultiprocessors { get; private protected init; }

    /// <summary>The most resident threads of a multiprocessor.</summary>
    public int MaxNumThreadsPerMultiprocessor { get; private protected init; }

    /// <summary>The most resident threads of the device.</summary>
    public int MaxNumThreads => NumMultiprocessors * MaxNumThreadsPerMultiprocessor;

    /// <summary>Extension: the PTX target kernels are compiled for, such as <c>sm_90a</c>.</summary>
    public string Target { get; private protected init; } = "";

    /// <summary>Opens the device.</summary>
    public abstract Accelerator CreateAccelerator(Context context);

    /// <summary>Writes the properties, one a line.</summary>
    public void PrintInformation(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteLine($"{Name} ({AcceleratorType}, {Target})");
        writer.WriteLine($"  memory {MemorySize >> 20} MiB, {NumMultiprocessors} multiprocessors, warp {WarpSize}");
        writer.WriteLine($"  group: {MaxNumThreadsPerGroup} threads, {MaxSharedMemoryPerGroup >> 10} KiB shared, {MaxDynamicSharedMemoryPerGroup >> 10} KiB dynamic");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} [{AcceleratorType}]";
}
