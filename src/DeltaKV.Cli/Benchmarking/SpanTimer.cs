using DeltaKV.Gpu;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Adds up the device time of parts of the work on a stream.</summary>
internal sealed class SpanTimer(AcceleratorStream stream) : IDisposable
{
    private readonly AcceleratorEvent start = stream.Accelerator.CreateEvent();
    private readonly AcceleratorEvent end = stream.Accelerator.CreateEvent();
    private double totalMs;
    private bool isOpen;

    /// <summary>Time of all spans so far; waits for the last one.</summary>
    internal double TotalMs
    {
        get
        {
            Close();
            return totalMs;
        }
    }

    /// <summary>Queues work and measures it. Waits for the span before: the device should be idle, or its time to get here counts as well.</summary>
    internal void Measure(Action enqueue)
    {
        Close();
        stream.Record(start);
        enqueue();
        stream.Record(end);
        isOpen = true;
    }

    public void Dispose()
    {
        start.Dispose();
        end.Dispose();
    }

    private void Close()
    {
        if (!isOpen)
            return;
        stream.Synchronize();
        totalMs += end.ElapsedSince(start).TotalMilliseconds;
        isOpen = false;
    }
}
