namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>A driver stream that does not wait for the legacy default stream.</summary>
internal sealed class CudaStream : AcceleratorStream
{
    private const uint NonBlocking = 1;
    private const int RelaxedCapture = 2;
    private readonly CudaAccelerator accelerator;

    private CudaStream(CudaAccelerator accelerator, nint handle)
        : base(accelerator, handle) => this.accelerator = accelerator;

    internal static CudaStream Create(CudaAccelerator accelerator)
    {
        accelerator.Bind();
        accelerator.Check(CudaDriver.StreamCreate(out var handle, NonBlocking), "cuStreamCreate");
        var stream = new CudaStream(accelerator, handle);
        accelerator.Add(stream);
        return stream;
    }

    public override void Synchronize()
    {
        ThrowIfUnusable();
        ThrowIfCapturing("a wait");
        accelerator.Bind();
        accelerator.Check(CudaDriver.StreamSynchronize(Handle), "cuStreamSynchronize");
    }

    internal override void Copy(nint target, nint source, long bytes, CopyDirection direction)
    {
        ThrowIfUnusable();
        accelerator.Bind();
        accelerator.Check(
            direction switch
            {
                CopyDirection.HostToDevice => CudaDriver.MemcpyHtoDAsync(target, source, (nuint)bytes, Handle),
                CopyDirection.DeviceToHost => CudaDriver.MemcpyDtoHAsync(target, source, (nuint)bytes, Handle),
                _ => CudaDriver.MemcpyAsync(target, source, (nuint)bytes, Handle),
            },
            "cuMemcpyAsync");
    }

    internal override void Fill(nint target, byte value, long bytes)
    {
        ThrowIfUnusable();
        accelerator.Bind();
        accelerator.Check(CudaDriver.MemsetD8Async(target, value, (nuint)bytes, Handle), "cuMemsetD8Async");
    }

    private protected override void RecordCore(AcceleratorEvent marker)
    {
        accelerator.Bind();
        accelerator.Check(CudaDriver.EventRecord(((CudaEvent)marker).Handle, Handle), "cuEventRecord");
    }

    private protected override void WaitCore(AcceleratorEvent marker)
    {
        if (marker is not CudaEvent cuda)
        {
            marker.Synchronize();
            return;
        }

        accelerator.Bind();
        accelerator.Check(CudaDriver.StreamWaitEvent(Handle, cuda.Handle, 0), "cuStreamWaitEvent");
    }

    private protected override void BeginCaptureCore()
    {
        accelerator.Bind();
        accelerator.Check(CudaDriver.StreamBeginCapture(Handle, RelaxedCapture), "cuStreamBeginCapture");
    }

    private protected override AcceleratorGraph EndCaptureCore()
    {
        accelerator.Bind();
        accelerator.Check(CudaDriver.StreamEndCapture(Handle, out var graph), "cuStreamEndCapture");
        return new CudaGraph(accelerator, graph);
    }

    private protected override void DisposeCore()
    {
        accelerator.Remove(this);
        if (accelerator.IsLost)
            return;
        accelerator.Bind();
        accelerator.Check(CudaDriver.StreamDestroy(Handle), "cuStreamDestroy");
    }
}
