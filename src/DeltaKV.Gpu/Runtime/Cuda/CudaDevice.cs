using System.Runtime.InteropServices;
using DeltaKV.Gpu.Runtime.Cuda;

namespace DeltaKV.Gpu;

/// <summary>An NVIDIA GPU of compute capability 8.0 or later.</summary>
public sealed unsafe class CudaDevice : Device
{
    internal CudaDevice(int ordinal, int driverVersion)
    {
        DeviceId = ordinal;
        DriverVersion = driverVersion;
        CudaException.ThrowIfFailed(CudaDriver.DeviceGet(out var handle, ordinal), "cuDeviceGet");
        Handle = handle;
        const int NameLength = 256;
        var name = stackalloc byte[NameLength];
        CudaException.ThrowIfFailed(CudaDriver.DeviceGetName(name, NameLength, handle), "cuDeviceGetName");
        Name = Marshal.PtrToStringUTF8((nint)name)!;
        CudaException.ThrowIfFailed(CudaDriver.DeviceTotalMem(out var memory, handle), "cuDeviceTotalMem");
        MemorySize = (long)memory;
        MaxGridSize = new Index3D(Get(DeviceAttribute.MaxGridDimX), Get(DeviceAttribute.MaxGridDimY), Get(DeviceAttribute.MaxGridDimZ));
        MaxGroupSize = new Index3D(Get(DeviceAttribute.MaxBlockDimX), Get(DeviceAttribute.MaxBlockDimY), Get(DeviceAttribute.MaxBlockDimZ));
        MaxNumThreadsPerGroup = Get(DeviceAttribute.MaxThreadsPerBlock);
        MaxSharedMemoryPerGroup = Get(DeviceAttribute.MaxSharedMemoryPerBlock);
        MaxDynamicSharedMemoryPerGroup = Get(DeviceAttribute.MaxSharedMemoryPerBlockOptIn);
        MaxConstantMemory = Get(DeviceAttribute.TotalConstantMemory);
        WarpSize = Get(DeviceAttribute.WarpSize);
        NumMultiprocessors = Get(DeviceAttribute.MultiprocessorCount);
        MaxNumThreadsPerMultiprocessor = Get(DeviceAttribute.MaxThreadsPerMultiprocessor);
        MaxSharedMemoryPerMultiprocessor = Get(DeviceAttribute.MaxSharedMemoryPerMultiprocessor);
        L2CacheSize = Get(DeviceAttribute.L2CacheSize);
        ClockRate = Get(DeviceAttribute.ClockRate);
        MemoryClockRate = Get(DeviceAttribute.MemoryClockRate);
        MemoryBusWidth = Get(DeviceAttribute.GlobalMemoryBusWidth);
        ComputeCapability = new Version(Get(DeviceAttribute.ComputeCapabilityMajor), Get(DeviceAttribute.ComputeCapabilityMinor));
        SupportsMemoryPools = Get(DeviceAttribute.MemoryPoolsSupported) != 0;
        Target = CudaJit.TargetFor(ComputeCapability, driverVersion);
    }

    /// <inheritdoc/>
    public override AcceleratorType AcceleratorType => AcceleratorType.Cuda;

    /// <summary>The number of the device.</summary>
    public int DeviceId { get; }

    /// <summary>Extension: the CUDA version of the driver, such as 13000 for 13.0.</summary>
    public int DriverVersion { get; }

    /// <summary>Extension: the compute capability.</summary>
    public Version ComputeCapability { get; }

    /// <summary>The bytes of the L2 cache.</summary>
    public int L2CacheSize { get; }

    /// <summary>The clock in kHz.</summary>
    public int ClockRate { get; }

    /// <summary>The memory clock in kHz.</summary>
    public int MemoryClockRate { get; }

    /// <summary>The width of the memory bus in bits.</summary>
    public int MemoryBusWidth { get; }

    /// <summary>The shared memory of a multiprocessor.</summary>
    public int MaxSharedMemoryPerMultiprocessor { get; }

    internal int Handle { get; }

    internal bool SupportsMemoryPools { get; }

    /// <inheritdoc/>
    public override Accelerator CreateAccelerator(Context context) => CreateCudaAccelerator(context);

    /// <summary>Opens the device.</summary>
    public CudaAccelerator CreateCudaAccelerator(Context context) => new(context, this);

    private int Get(DeviceAttribute attribute)
    {
        CudaException.ThrowIfFailed(CudaDriver.DeviceGetAttribute(out var value, attribute, Handle), $"cuDeviceGetAttribute({attribute})");
        return value;
    }
}
