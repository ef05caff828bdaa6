namespace DeltaKV.Gpu;

/// <summary>
/// Extension: launches and copies recorded by <see cref="AcceleratorStream.BeginCapture"/>, to be run again as one launch. Argument values
/// and addresses are those of the recording, so the buffers must live as long as the graph is launched.
/// </summary>
public abstract class AcceleratorGraph : IDisposable
{
    private protected AcceleratorGraph(Accelerator accelerator)
    {
        Accelerator = accelerator;
        accelerator.Adopt(this);
    }

    /// <summary>The accelerator it was recorded on.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>The number of recorded launches, copies and fills.</summary>
    public abstract int NodeCount { get; }

    /// <summary>Makes the recording executable. <see cref="Launch"/> does it when it was not done.</summary>
    public abstract void Instantiate();

    /// <summary>Takes over the work of a newer recording, which is not needed afterwards.</summary>
    /// <returns>Whether the executable graph was changed in place; false when it had to be built anew, which costs more.</returns>
    public abstract bool Update(AcceleratorGraph newer);

    /// <summary>Queues the recorded work on a stream.</summary>
    public abstract void Launch(AcceleratorStream stream);

    /// <summary>Ends the graph.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the graph.</summary>
    protected virtual void Dispose(bool disposing) => Accelerator.Release(this);
}
