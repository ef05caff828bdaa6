using DeltaKV.Gpu.Compiler;
using DeltaKV.Gpu.Emulator;
using DeltaKV.Gpu.Runtime;
using DeltaKV.Gpu.Runtime.Cpu;

namespace DeltaKV.Gpu;

/// <summary>Executes kernels on the processor. Device memory is host memory; every stream runs its work before the call returns.</summary>
public sealed class CPUAccelerator : Accelerator
{
    private readonly CpuMemory memory;
    private readonly CpuStream defaultStream;

    internal CPUAccelerator(Context context, CPUDevice device)
        : base(context, device)
    {
        memory = new CpuMemory(poison: device.Sanitize);
        EmulatorOptions = new EmulatorOptions { Threads = device.Threads, Sanitize = device.Sanitize, Memory = Allocations };
        defaultStream = new CpuStream(this);
    }

    /// <inheritdoc/>
    public override AcceleratorStream DefaultStream => defaultStream;

    internal EmulatorOptions EmulatorOptions { get; }

    /// <inheritdoc/>
    public override void Synchronize() => ThrowIfUnusable();

    internal override AcceleratorStream CreateStreamCore() => new CpuStream(this);

    internal override AcceleratorEvent CreateEventCore() => new CpuEvent(this);

    internal override nint AllocateCore(long bytes, AcceleratorStream? stream)
    {
        try
        {
            return memory.Allocate(bytes);
        }
        catch (OutOfMemoryException exception)
        {
            throw new OutOfDeviceMemoryException(Name, bytes, AllocatedBytes - bytes, Math.Min(MemoryLimit, MemorySize), exception);
        }
    }

    internal override void FreeCore(DeviceAllocation allocation) => memory.Free(allocation.Pointer, allocation.Bytes);

    internal override nint AllocateHost(long bytes, out nint devicePointer) => devicePointer = memory.Allocate(bytes);

    internal override void FreeHost(nint pointer, long bytes) => memory.Free(pointer, bytes);

    private protected override Kernel LoadCore(KernelKey key, CompiledKernel compiled) => new CpuKernel(this, key, compiled);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        memory.Dispose();
    }
}
