namespace DeltaKV.Gpu;

/// <summary>Extension: what a loaded kernel takes per thread and per group.</summary>
/// <param name="Kernel">The name of the kernel.</param>
/// <param name="Target">The PTX target.</param>
/// <param name="Registers">Registers per thread; 0 on the CPU accelerator.</param>
/// <param name="LocalBytes">Local memory per thread: register spills and indexed local arrays. Should be 0.</param>
/// <param name="StaticSharedBytes">Static shared memory per group.</param>
/// <param name="MaxDynamicSharedBytes">The dynamic shared memory a launch may ask for.</param>
/// <param name="MaxThreadsPerGroup">The largest group that fits.</param>
/// <param name="Log">What the driver's assembler said, when it ran; empty for a cached kernel.</param>
public sealed record KernelReport(
    string Kernel,
    string Target,
    int Registers,
    int LocalBytes,
    int StaticSharedBytes,
    int MaxDynamicSharedBytes,
    int MaxThreadsPerGroup,
    string Log);
