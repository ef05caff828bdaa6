namespace DeltaKV.Gpu;

/// <summary>Extension: a point in the queue of a stream. It can be recorded again and again.</summary>
public abstract class AcceleratorEvent : IDisposable
{
    private protected AcceleratorEvent(Accelerator accelerator)
    {
        Accelerator = accelerator;
        accelerator.Adopt(this);
    }

    /// <summary>The accelerator it belongs to.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>Whether the point has been reached; true when it was never recorded.</summary>
    public abstract bool IsCompleted { get; }

    /// <summary>Waits for the point.</summary>
    public abstract void Synchronize();

    /// <summary>The time from an earlier event to this one; waits for both.</summary>
    public abstract TimeSpan ElapsedSince(AcceleratorEvent start);

    /// <summary>Ends the event.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the event.</summary>
    protected virtual void Dispose(bool disposing) => Accelerator.Release(this);
}
