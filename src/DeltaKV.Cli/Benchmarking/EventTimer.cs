using DeltaKV.Gpu;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Times work on a stream by events.</summary>
internal sealed class EventTimer(AcceleratorStream stream)
{
    /// <summary>Queues the work <paramref name="warmups"/> times, then <paramref name="samples"/> times between events; the median of those in ms.</summary>
    /// <remarks>All samples are queued before any is waited for, as a server that never idles would, so the time to queue is hidden by the work before.</remarks>
    internal double MedianMs(int warmups, int samples, Action enqueue, CancellationToken cancellation)
    {
        for (var i = 0; i < warmups; i++)
            enqueue();
        stream.Synchronize();
        var marks = new AcceleratorEvent[samples + 1];
        try
        {
            for (var i = 0; i <= samples; i++)
                marks[i] = stream.Accelerator.CreateEvent();
            stream.Record(marks[0]);
            for (var i = 1; i <= samples; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                enqueue();
                stream.Record(marks[i]);
            }

            stream.Synchronize();
            return Median([.. Enumerable.Range(1, samples).Select(i => marks[i].ElapsedSince(marks[i - 1]).TotalMilliseconds)]);
        }
        finally
        {
            foreach (var mark in marks)
                mark?.Dispose();
        }
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        var middle = values.Length / 2;
        return values.Length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
