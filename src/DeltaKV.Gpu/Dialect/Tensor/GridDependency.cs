namespace DeltaKV.Gpu;

/// <summary>Lets a kernel begin while the one before it on the stream ends. An extension to ILGPU's dialect.</summary>
/// <remarks>
/// A kernel that calls <see cref="Wait"/> is launched without waiting for its predecessor: it must call it, on every path, before it reads
/// what earlier kernels wrote and before it writes anything; what it reads after that it must not read with <see cref="Cached"/>'s
/// read-only loads. Before it lies what depends on no kernel: index arithmetic, loads of weights. Before sm_90 both calls are nothing.
/// Source: CUDA programming guide, programmatic dependent launch.
/// </remarks>
public static class GridDependency
{
    /// <summary>Waits until all earlier kernels of the stream have finished and their writes are visible.</summary>
    [PtxInstruction("griddepcontrol.wait;", HintSince = 90)]
    public static void Wait() => throw KernelOnlyException.Here();

    /// <summary>Says that this group no longer minds the next kernel's groups beginning beside it. They do when every group has said so or ended.</summary>
    [PtxInstruction("griddepcontrol.launch_dependents;", HintSince = 90)]
    public static void LaunchDependents() => throw KernelOnlyException.Here();
}
