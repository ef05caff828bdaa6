using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu;

/// <summary>An ordered queue of launches and copies.</summary>
public abstract class AcceleratorStream : IDisposable
{
    private protected AcceleratorStream(Accelerator accelerator, nint handle)
    {
        Accelerator = accelerator;
        Handle = handle;
        accelerator.Adopt(this);
    }

    /// <summary>The accelerator it feeds.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>Whether it was disposed.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Extension: whether work is being recorded instead of run.</summary>
    public bool IsCapturing { get; private set; }

    /// <summary>The driver's handle; 0 on the CPU accelerator.</summary>
    internal nint Handle { get; }

    /// <summary>Waits until everything queued so far is done.</summary>
    public abstract void Synchronize();

    /// <summary>Waits on a pool thread until everything queued so far is done.</summary>
    public Task SynchronizeAsync() => Task.Run(Synchronize);

    /// <summary>Marks this point of the queue to measure time from.</summary>
    public ProfilingMarker AddProfilingMarker()
    {
        var marker = Accelerator.CreateEvent();
        Record(marker);
        return new ProfilingMarker(marker);
    }

    /// <summary>Extension: moves an event to this point of the queue.</summary>
    public void Record(AcceleratorEvent marker)
    {
        ArgumentNullException.ThrowIfNull(marker);
        ThrowIfForeign(marker.Accelerator);
        ThrowIfUnusable();
        RecordCore(marker);
    }

    /// <summary>Extension: holds later work of this stream back until an event recorded on any stream has been reached.</summary>
    public void Wait(AcceleratorEvent marker)
    {
        ArgumentNullException.ThrowIfNull(marker);
        ThrowIfUnusable();
        WaitCore(marker);
    }

    /// <summary>Extension: from here to <see cref="EndCapture"/>, launches and copies on this stream are recorded and not run.</summary>
    public void BeginCapture()
    {
        ThrowIfUnusable();
        ThrowIfCapturing("another capture");
        BeginCaptureCore();
        IsCapturing = true;
    }

    /// <summary>Extension: ends the recording and returns it.</summary>
    public AcceleratorGraph EndCapture()
    {
        ThrowIfUnusable();
        if (!IsCapturing)
            throw new InvalidOperationException("EndCapture without BeginCapture on this stream.");
        IsCapturing = false;
        return EndCaptureCore();
    }

    /// <summary>Ends the stream.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the stream.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (IsDisposed)
            return;
        IsDisposed = true;
        Accelerator.Release(this);
        DisposeCore();
    }

    internal abstract void Copy(nint target, nint source, long bytes, CopyDirection direction);

    internal abstract void Fill(nint target, byte value, long bytes);

    internal void ThrowIfForeign(Accelerator accelerator)
    {
        if (!ReferenceEquals(accelerator, Accelerator))
            throw new DeviceMemoryException($"The stream is of accelerator '{Accelerator.Name}', what it was to work on is of '{accelerator.Name}'.");
    }

    internal void ThrowIfCapturing(string what)
    {
        if (IsCapturing)
            throw new InvalidOperationException($"The stream is capturing a graph, which cannot hold {what}; use page-locked memory, or do it outside the capture.");
    }

    private protected void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        Accelerator.ThrowIfUnusable();
    }

    private protected abstract void RecordCore(AcceleratorEvent marker);

    private protected abstract void WaitCore(AcceleratorEvent marker);

    private protected abstract void BeginCaptureCore();

    private protected abstract AcceleratorGraph EndCaptureCore();

    private protected abstract void DisposeCore();
}
