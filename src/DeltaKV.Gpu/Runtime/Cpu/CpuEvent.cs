using System.Diagnostics;

namespace DeltaKV.Gpu.Runtime.Cpu;

/// <summary>The time at which a stream of the CPU accelerator reached a point; reached as soon as it is recorded.</summary>
internal sealed class CpuEvent(CPUAccelerator accelerator) : AcceleratorEvent(accelerator)
{
    private long timestamp;

    public override bool IsCompleted => true;

    public override void Synchronize()
    {
    }

    public override TimeSpan ElapsedSince(AcceleratorEvent start) =>
        start is CpuEvent { timestamp: not 0 } earlier && timestamp != 0
            ? Stopwatch.GetElapsedTime(earlier.timestamp, timestamp)
            : throw new InvalidOperationException("Time is measured between two recorded events of CPU accelerators.");

    internal void Record() => timestamp = Stopwatch.GetTimestamp();
}
