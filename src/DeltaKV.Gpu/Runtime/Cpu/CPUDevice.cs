namespace DeltaKV.Gpu;

/// <summary>The processor as a device: it executes the same PTX a GPU would, warp by warp.</summary>
public sealed class CPUDevice : Device
{
    private const string DefaultTarget = "sm_90a";

    /// <summary>All cores.</summary>
    public static readonly CPUDevice Default = new();

    /// <summary>Extension: all cores, checking every memory access and barrier.</summary>
    public static readonly CPUDevice Sanitizer = new(sanitize: true);

    /// <summary>Extension: a device with options of its own.</summary>
    /// <param name="threads">The threads to spread groups over; 0 for one per core.</param>
    /// <param name="sanitize">Whether to check every memory access and barrier; many times slower.</param>
    /// <param name="target">What kernels are compiled for, such as <c>sm_80</c>: to see that PTX, or to run what an older GPU would.</param>
    public CPUDevice(int threads = 0, bool sanitize = false, string target = DefaultTarget)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Threads = threads == 0 ? Environment.ProcessorCount : threads;
        Sanitize = sanitize;
        Name = sanitize ? $"CPU sanitizer ({Threads} threads)" : $"CPU ({Threads} threads)";
        MemorySize = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        NumMultiprocessors = Threads;

        // The limits are those of compute capability 9.0, so that what runs here runs there.
        MaxGridSize = new Index3D(int.MaxValue, ushort.MaxValue, ushort.MaxValue);
        MaxGroupSize = new Index3D(1024, 1024, 64);
        MaxNumThreadsPerGroup = 1024;
        MaxNumThreadsPerMultiprocessor = 2048;
        MaxSharedMemoryPerGroup = 48 << 10;
        MaxDynamicSharedMemoryPerGroup = 227 << 10;
        MaxConstantMemory = 64 << 10;
        WarpSize = 32;
        Target = target;
    }

    /// <inheritdoc/>
    public override AcceleratorType AcceleratorType => AcceleratorType.CPU;

    /// <summary>Extension: the threads groups are spread over.</summary>
    public int Threads { get; }

    /// <summary>Extension: whether memory accesses and barriers are checked.</summary>
    public bool Sanitize { get; }

    /// <inheritdoc/>
    public override Accelerator CreateAccelerator(Context context) => CreateCPUAccelerator(context);

    /// <summary>Opens the device.</summary>
    public CPUAccelerator CreateCPUAccelerator(Context context) => new(context, this);
}
