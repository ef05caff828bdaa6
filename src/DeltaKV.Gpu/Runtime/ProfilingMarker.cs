namespace DeltaKV.Gpu;

/// <summary>A point in the queue of a stream to measure time from and to.</summary>
public sealed class ProfilingMarker : IDisposable
{
    private readonly AcceleratorEvent marker;

    internal ProfilingMarker(AcceleratorEvent marker) => this.marker = marker;

    /// <summary>The time from <paramref name="start"/> to <paramref name="end"/>.</summary>
    public static TimeSpan operator -(ProfilingMarker end, ProfilingMarker start) => Subtract(end, start);

    /// <summary>The time from <paramref name="start"/> to <paramref name="end"/>.</summary>
    public static TimeSpan Subtract(ProfilingMarker end, ProfilingMarker start)
    {
        ArgumentNullException.ThrowIfNull(end);
        return end.MeasureFrom(start);
    }

    /// <summary>The time from an earlier marker to this one; waits for both.</summary>
    public TimeSpan MeasureFrom(ProfilingMarker marker)
    {
        ArgumentNullException.ThrowIfNull(marker);
        return this.marker.ElapsedSince(marker.marker);
    }

    /// <summary>Waits until the point is reached.</summary>
    public void Synchronize() => marker.Synchronize();

    /// <summary>Ends the marker.</summary>
    public void Dispose() => marker.Dispose();
}
