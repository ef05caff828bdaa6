using DeltaKV.Gpu.Compiler;
using DeltaKV.Gpu.Runtime;
using DeltaKV.Gpu.Runtime.Cuda;

namespace DeltaKV.Gpu;

/// <summary>An open NVIDIA GPU, through its primary context.</summary>
public sealed unsafe class CudaAccelerator : Accelerator
{
    private const int PoolReleaseThreshold = 4;
    private const uint PortableAndMapped = 3;

    private static int opened;

    /// <summary>The accelerator whose context is current on this thread. A number, because a context's address can come back after its end.</summary>
    [ThreadStatic]
    private static int boundAccelerator;

    private readonly int number = Interlocked.Increment(ref opened);
    private readonly CudaDevice device;
    private readonly nint context;
    private readonly CudaStream defaultStream;
    private readonly Lock streamGate = new();
    private volatile CudaStream[] streams = [];

    internal CudaAccelerator(Context context, CudaDevice device)
        : base(context, device)
    {
        this.device = device;
        CudaException.ThrowIfFailed(CudaDriver.DevicePrimaryCtxRetain(out this.context, device.Handle), "cuDevicePrimaryCtxRetain");
        Bind();
        if (device.SupportsMemoryPools)
        {
            // Freed memory stays with the process: a decode step that allocates must not wait for the operating system.
            CudaException.ThrowIfFailed(CudaDriver.DeviceGetDefaultMemPool(out var pool, device.Handle), "cuDeviceGetDefaultMemPool");
            var everything = ulong.MaxValue;
            CudaException.ThrowIfFailed(CudaDriver.MemPoolSetAttribute(pool, PoolReleaseThreshold, &everything), "cuMemPoolSetAttribute");
        }

        defaultStream = CudaStream.Create(this);
    }

    /// <inheritdoc/>
    public override AcceleratorStream DefaultStream => defaultStream;

    /// <summary>The kernel launched last, named when a fault is found later.</summary>
    internal CudaKernel? LastLaunched { get; set; }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        // Not cuCtxSynchronize: it fails while any stream of the process captures a graph.
        ThrowIfUnusable();
        foreach (var stream in streams)
        {
            if (!stream.IsCapturing && !stream.IsDisposed)
                stream.Synchronize();
        }
    }

    internal void Add(CudaStream stream)
    {
        lock (streamGate)
            streams = [.. streams, stream];
    }

    internal void Remove(CudaStream stream)
    {
        lock (streamGate)
            streams = Array.FindAll(streams, other => !ReferenceEquals(other, stream));
    }

    /// <summary>Makes the context current on this thread.</summary>
    internal void Bind()
    {
        if (boundAccelerator == number)
            return;
        CudaException.ThrowIfFailed(CudaDriver.CtxSetCurrent(context), "cuCtxSetCurrent");
        boundAccelerator = number;
    }

    /// <summary>Throws when a call failed; a fault that the driver reports ever after marks the accelerator lost.</summary>
    internal void Check(CudaResult result, string call)
    {
        if (result != CudaResult.Success)
            throw Failure(result, call);
    }

    internal Exception Failure(CudaResult result, string call)
    {
        var failure = new CudaException(result, call);
        if (!IsSticky(result))
            return failure;
        MarkLost(failure);
        return new AcceleratorLostException(
            $"{Name} is lost: {failure.Message} The last kernel launched was {LastLaunched?.Name ?? "none"}; "
            + "DELTAKV_LAUNCH_BLOCKING=1 names the one at fault, the CPU sanitizer (Context.Create(b => b.Sanitizer())) the line.",
            failure);
    }

    internal override AcceleratorStream CreateStreamCore() => CudaStream.Create(this);

    internal override AcceleratorEvent CreateEventCore() => new CudaEvent(this);

    internal override nint AllocateCore(long bytes, AcceleratorStream? stream)
    {
        Bind();
        var result = stream is not null && device.SupportsMemoryPools
            ? CudaDriver.MemAllocAsync(out var pointer, (nuint)bytes, stream.Handle)
            : CudaDriver.MemAlloc(out pointer, (nuint)bytes);
        if (result == CudaResult.OutOfMemory)
        {
            _ = CudaDriver.MemGetInfo(out var free, out var total);
            throw new OutOfDeviceMemoryException(Name, bytes, (long)(total - free), Math.Min(MemoryLimit, (long)total), new CudaException(result, "cuMemAlloc"));
        }

        Check(result, "cuMemAlloc");
        return pointer;
    }

    internal override void FreeCore(DeviceAllocation allocation)
    {
        if (IsLost)
            return;
        Bind();
        Check(
            allocation.Stream is { IsDisposed: false } stream && device.SupportsMemoryPools
                ? CudaDriver.MemFreeAsync(allocation.Pointer, stream.Handle)
                : CudaDriver.MemFree(allocation.Pointer),
            "cuMemFree");
    }

    internal override nint AllocateHost(long bytes, out nint devicePointer)
    {
        Bind();
        Check(CudaDriver.MemHostAlloc(out var pointer, (nuint)bytes, PortableAndMapped), "cuMemHostAlloc");
        Check(CudaDriver.MemHostGetDevicePointer(out devicePointer, pointer, 0), "cuMemHostGetDevicePointer");
        return pointer;
    }

    internal override void FreeHost(nint pointer, long bytes)
    {
        if (IsLost)
            return;
        Bind();
        Check(CudaDriver.MemFreeHost(pointer), "cuMemFreeHost");
    }

    private protected override Kernel LoadCore(KernelKey key, CompiledKernel compiled)
    {
        Bind();
        var kernel = new CudaKernel(this, key, compiled, CudaJit.Load(this, compiled, Context.CubinCache, out var log), log);
        Adopt(kernel);
        return kernel;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (IsDisposed)
            return;
        if (!IsLost)
            Synchronize();
        base.Dispose(disposing);
        _ = CudaDriver.DevicePrimaryCtxRelease(device.Handle);
    }

    private static bool IsSticky(CudaResult result) => result is
        CudaResult.EccUncorrectable or CudaResult.NvlinkUncorrectable or CudaResult.IllegalAddress or CudaResult.LaunchTimeout
        or CudaResult.ContextIsDestroyed or CudaResult.Assert or CudaResult.HardwareStackError or CudaResult.IllegalInstruction
        or CudaResult.MisalignedAddress or CudaResult.InvalidAddressSpace or CudaResult.InvalidProgramCounter or CudaResult.LaunchFailed;
}
