namespace DeltaKV.Gpu;

/// <summary>The errors the CPU accelerator can find in a kernel.</summary>
public enum KernelErrorKind
{
    /// <summary>An access outside every allocation.</summary>
    OutOfBounds,

    /// <summary>An address that is not a multiple of the access size.</summary>
    Misaligned,

    /// <summary>A read of shared memory that no thread has written.</summary>
    UninitializedShared,

    /// <summary>Two threads touch the same shared byte between barriers, at least one of them writing.</summary>
    SharedRace,

    /// <summary>Shared memory is read, or written, before an asynchronous copy to it was waited for by the thread that started it.</summary>
    PendingCopy,

    /// <summary>A barrier that not every running thread of the block reaches.</summary>
    DivergentBarrier,
}
