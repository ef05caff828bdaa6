namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>A driver event with timing.</summary>
internal sealed class CudaEvent : AcceleratorEvent
{
    private readonly CudaAccelerator accelerator;

    internal CudaEvent(CudaAccelerator accelerator)
        : base(accelerator)
    {
        this.accelerator = accelerator;
        accelerator.Bind();
        accelerator.Check(CudaDriver.EventCreate(out var handle, 0), "cuEventCreate");
        Handle = handle;
    }

    public override bool IsCompleted
    {
        get
        {
            accelerator.ThrowIfUnusable();
            accelerator.Bind();
            var result = CudaDriver.EventQuery(Handle);
            if (result == CudaResult.NotReady)
                return false;
            accelerator.Check(result, "cuEventQuery");
            return true;
        }
    }

    internal nint Handle { get; private set; }

    public override void Synchronize()
    {
        accelerator.ThrowIfUnusable();
        accelerator.Bind();
        accelerator.Check(CudaDriver.EventSynchronize(Handle), "cuEventSynchronize");
    }

    public override TimeSpan ElapsedSince(AcceleratorEvent start)
    {
        if (start is not CudaEvent earlier || !ReferenceEquals(earlier.accelerator, accelerator))
            throw new InvalidOperationException("Time is measured between two recorded events of one accelerator.");
        earlier.Synchronize();
        Synchronize();
        accelerator.Check(CudaDriver.EventElapsedTime(out var milliseconds, earlier.Handle, Handle), "cuEventElapsedTime");
        return TimeSpan.FromTicks((long)(milliseconds * (double)TimeSpan.TicksPerMillisecond));
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (Handle == 0 || accelerator.IsLost)
            return;
        accelerator.Bind();
        accelerator.Check(CudaDriver.EventDestroy(Handle), "cuEventDestroy");
        Handle = 0;
    }
}
