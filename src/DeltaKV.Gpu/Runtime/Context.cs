using System.Collections.Concurrent;
using System.Collections.Immutable;
using DeltaKV.Gpu.Compiler;
using DeltaKV.Gpu.Runtime;
using DeltaKV.Gpu.Runtime.Cuda;

namespace DeltaKV.Gpu;

/// <summary>The entry point: finds the devices and keeps what was compiled. Dispose it last.</summary>
public sealed partial class Context : IDisposable
{
    private readonly ConcurrentDictionary<(KernelKey Key, string Target), Lazy<CompiledKernel>> compiled = new();
    private readonly Lock gate = new();
    private readonly HashSet<Accelerator> accelerators = new(ReferenceEqualityComparer.Instance);
    private bool disposed;

    private Context(Builder builder)
    {
        Devices = [.. builder.Devices];
        CudaProblem = builder.CudaProblem;
        PtxDumpDirectory = builder.DumpDirectory ?? NullIfEmpty(Environment.GetEnvironmentVariable("DELTAKV_DUMP"));
        CubinCache = builder.CreateCache();
        BlockingLaunches = builder.BlockingLaunches || Environment.GetEnvironmentVariable("DELTAKV_LAUNCH_BLOCKING") == "1";
    }

    /// <summary>The devices that were asked for and exist.</summary>
    public ImmutableArray<Device> Devices { get; }

    /// <summary>Extension: why a GPU that was asked for is not among the devices; null when there is one, or none was asked for.</summary>
    public CudaUnavailableException? CudaProblem { get; }

    internal string? PtxDumpDirectory { get; }

    internal CubinCache? CubinCache { get; }

    internal bool BlockingLaunches { get; }

    /// <summary>A context with all devices.</summary>
    public static Context CreateDefault() => Create(builder => builder.Default());

    /// <summary>A context with the devices and options the callback asks for.</summary>
    public static Context Create(Action<Builder> buildingCallback)
    {
        ArgumentNullException.ThrowIfNull(buildingCallback);
        var builder = new Builder();
        buildingCallback(builder);
        return builder.ToContext();
    }

    /// <summary>A builder of a context.</summary>
    public static Builder Create() => new();

    /// <summary>The GPU with the most memory, or the CPU when there is none or it is preferred.</summary>
    public Device GetPreferredDevice(bool preferCPU)
    {
        Device? gpu = preferCPU ? null : GetDevices<CudaDevice>().MaxBy(device => device.MemorySize);
        return gpu ?? Devices.OfType<CPUDevice>().FirstOrDefault(CPUDevice.Default);
    }

    /// <summary>The devices of a kind.</summary>
    public IReadOnlyList<TDevice> GetDevices<TDevice>()
        where TDevice : Device => [.. Devices.OfType<TDevice>()];

    /// <summary>A device of a kind by its number.</summary>
    public TDevice GetDevice<TDevice>(int deviceIndex)
        where TDevice : Device
    {
        var devices = GetDevices<TDevice>();
        if (devices.Count == 0 && typeof(TDevice) == typeof(CudaDevice) && CudaProblem is not null)
            throw CudaProblem;
        return deviceIndex >= 0 && deviceIndex < devices.Count
            ? devices[deviceIndex]
            : throw new ArgumentOutOfRangeException(
                nameof(deviceIndex), deviceIndex, $"The context has {devices.Count} of {typeof(TDevice).Name}; ask for them in Context.Create.");
    }

    /// <summary>Opens a GPU.</summary>
    public CudaAccelerator CreateCudaAccelerator(int cudaDeviceIndex) => (CudaAccelerator)GetDevice<CudaDevice>(cudaDeviceIndex).CreateAccelerator(this);

    /// <summary>Opens a CPU device.</summary>
    public CPUAccelerator CreateCPUAccelerator(int cpuDeviceIndex) => (CPUAccelerator)GetDevice<CPUDevice>(cpuDeviceIndex).CreateAccelerator(this);

    /// <summary>Disposes the accelerators that are still open, and ends the context.</summary>
    public void Dispose()
    {
        Accelerator[] open;
        lock (gate)
        {
            disposed = true;
            open = [.. accelerators];
        }

        foreach (var accelerator in open)
            accelerator.Dispose();
    }

    internal CompiledKernel Compile(KernelKey key, string target) =>
        compiled.GetOrAdd((key, target), static entry => new Lazy<CompiledKernel>(() => PtxBounds.Apply(
            KernelCompiler.Compile(entry.Key.Method, new CompileOptions { Target = entry.Target, ImplicitlyGrouped = entry.Key.ImplicitlyGrouped }),
            entry.Key.Specialization))).Value;

    internal void Register(Accelerator accelerator)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            accelerators.Add(accelerator);
        }
    }

    internal void Unregister(Accelerator accelerator)
    {
        lock (gate)
            accelerators.Remove(accelerator);
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
