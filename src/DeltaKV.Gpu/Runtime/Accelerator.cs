namespace DeltaKV.Gpu;

/// <summary>An open device: allocates buffers, loads kernels, owns streams. Safe to use from several threads.</summary>
public abstract partial class Accelerator : IDisposable
{
    private static readonly Lock LiveGate = new();
    private static volatile Accelerator[] live = [];
    private readonly Lock childGate = new();
    private readonly HashSet<IDisposable> children = new(ReferenceEqualityComparer.Instance);
    private volatile bool unusable;
    private volatile bool disposed;
    private Exception? lossCause;

    private protected Accelerator(Context context, Device device)
    {
        ArgumentNullException.ThrowIfNull(context);
        Context = context;
        Device = device;
        context.Register(this);
        lock (LiveGate)
            live = [.. live, this];
    }

    /// <summary>The context it was created in.</summary>
    public Context Context { get; }

    /// <summary>The device it opened.</summary>
    public Device Device { get; }

    /// <summary>The stream of launches and copies that name none.</summary>
    public abstract AcceleratorStream DefaultStream { get; }

    /// <summary>What executes the kernels.</summary>
    public AcceleratorType AcceleratorType => Device.AcceleratorType;

    /// <summary>The name of the device.</summary>
    public string Name => Device.Name;

    /// <summary>The bytes of the device's memory.</summary>
    public long MemorySize => Device.MemorySize;

    /// <summary>The largest grid, in groups.</summary>
    public Index3D MaxGridSize => Device.MaxGridSize;

    /// <summary>The largest extent of a group per dimension.</summary>
    public Index3D MaxGroupSize => Device.MaxGroupSize;

    /// <summary>The most threads of a group.</summary>
    public int MaxNumThreadsPerGroup => Device.MaxNumThreadsPerGroup;

    /// <summary>The shared memory of a group without opting in.</summary>
    public int MaxSharedMemoryPerGroup => Device.MaxSharedMemoryPerGroup;

    /// <summary>The threads of a warp.</summary>
    public int WarpSize => Device.WarpSize;

    /// <summary>The number of multiprocessors.</summary>
    public int NumMultiprocessors => Device.NumMultiprocessors;

    /// <summary>The most resident threads of a multiprocessor.</summary>
    public int MaxNumThreadsPerMultiprocessor => Device.MaxNumThreadsPerMultiprocessor;

    /// <summary>The most resident threads of the device.</summary>
    public int MaxNumThreads => Device.MaxNumThreads;

    /// <summary>Whether it was disposed.</summary>
    public bool IsDisposed => disposed;

    /// <summary>Extension: whether a device fault made it useless; see <see cref="AcceleratorLostException"/>.</summary>
    public bool IsLost => lossCause is not null;

    /// <summary>Creates a stream; work on different streams is not ordered. On the CPU accelerator every stream runs its work at once.</summary>
    public AcceleratorStream CreateStream()
    {
        ThrowIfUnusable();
        return CreateStreamCore();
    }

    /// <summary>Extension: creates an event to order streams by and to measure time with.</summary>
    public AcceleratorEvent CreateEvent()
    {
        ThrowIfUnusable();
        return CreateEventCore();
    }

    /// <summary>Waits for all streams.</summary>
    public abstract void Synchronize();

    /// <summary>Writes the properties of the device.</summary>
    public void PrintInformation(TextWriter writer) => Device.PrintInformation(writer);

    /// <inheritdoc/>
    public override string ToString() => Device.ToString();

    /// <summary>Frees its buffers, streams and kernels.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees everything that was created on this accelerator.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposed)
            return;
        IDisposable[] remaining;
        lock (childGate)
            remaining = [.. children];
        foreach (var child in remaining)
            child.Dispose();
        disposed = true;
        unusable = true;
        lock (LiveGate)
            live = Array.FindAll(live, other => !ReferenceEquals(other, this));
        Context.Unregister(this);
    }

    /// <summary>The accelerator whose live buffer holds the bytes.</summary>
    internal static Accelerator OwnerOf(nint pointer, long bytes)
    {
        foreach (var accelerator in live)
        {
            if (accelerator.Allocations.Contains((nuint)pointer, bytes))
                return accelerator;
        }

        throw new DeviceMemoryException(
            $"No live buffer holds the {bytes} bytes at 0x{pointer:x}: its buffer was disposed, the view reaches past its end, or it is not device memory.");
    }

    internal abstract AcceleratorStream CreateStreamCore();

    internal abstract AcceleratorEvent CreateEventCore();

    internal void Adopt(IDisposable child)
    {
        lock (childGate)
            children.Add(child);
    }

    internal void Release(IDisposable child)
    {
        lock (childGate)
            children.Remove(child);
    }

    /// <summary>The check on every path: a disposed or lost accelerator says so.</summary>
    internal void ThrowIfUnusable()
    {
        if (unusable)
            ThrowUnusable();
    }

    internal void MarkLost(Exception cause)
    {
        Interlocked.CompareExchange(ref lossCause, cause, null);
        unusable = true;
    }

    private void ThrowUnusable()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        throw new AcceleratorLostException(
            $"{Name} was lost to an earlier device fault; create a new process to use it again. First cause: {lossCause?.Message}", lossCause);
    }
}
