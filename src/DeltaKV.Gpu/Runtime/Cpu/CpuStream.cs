using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Runtime.Cpu;

/// <summary>Runs work at once on the calling thread, or records it while capturing.</summary>
internal sealed unsafe class CpuStream(CPUAccelerator accelerator) : AcceleratorStream(accelerator, 0)
{
    private List<Action>? recording;

    public override void Synchronize()
    {
        ThrowIfUnusable();
        ThrowIfCapturing("a wait");
    }

    /// <summary>Runs an action, or keeps it for the graph.</summary>
    internal void Do(Action work)
    {
        ThrowIfUnusable();
        if (recording is null)
            work();
        else
            recording.Add(work);
    }

    internal override void Copy(nint target, nint source, long bytes, CopyDirection direction)
    {
        ThrowIfUnusable();
        if (recording is null)
            NativeMemory.Copy((void*)source, (void*)target, (nuint)bytes);
        else
            RecordCopy(target, source, bytes);
    }

    internal override void Fill(nint target, byte value, long bytes)
    {
        ThrowIfUnusable();
        if (recording is null)
            NativeMemory.Fill((void*)target, (nuint)bytes, value);
        else
            RecordFill(target, value, bytes);
    }

    private protected override void RecordCore(AcceleratorEvent marker) => Do(((CpuEvent)marker).Record);

    private protected override void WaitCore(AcceleratorEvent marker) => marker.Synchronize();

    private protected override void BeginCaptureCore() => recording = [];

    private protected override AcceleratorGraph EndCaptureCore()
    {
        var graph = new CpuGraph((CPUAccelerator)Accelerator, [.. recording!]);
        recording = null;
        return graph;
    }

    private protected override void DisposeCore() => recording = null;

    // Apart from the methods above, so that what runs at once allocates no closure.
    private void RecordCopy(nint target, nint source, long bytes) => recording!.Add(() => NativeMemory.Copy((void*)source, (void*)target, (nuint)bytes));

    private void RecordFill(nint target, byte value, long bytes) => recording!.Add(() => NativeMemory.Fill((void*)target, (nuint)bytes, value));
}
