using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>A kernel of one argument structure that is compiled and loaded at its first launch; later launches allocate nothing.</summary>
/// <param name="accelerator">Where it runs.</param>
/// <param name="kernel">The kernel method.</param>
/// <param name="specialization">Bounds of the group size and of registers.</param>
internal sealed class KernelHandle<TArguments>(Accelerator accelerator, Action<TArguments> kernel, KernelSpecialization specialization = default)
    where TArguments : unmanaged
{
    private Action<AcceleratorStream, KernelConfig, TArguments>? loaded;

    /// <summary>Compiles and loads the kernel now, so that a graph capture finds it ready.</summary>
    internal void Load() => loaded ??= accelerator.LoadKernel(kernel, specialization);

    /// <summary>Enqueues a launch.</summary>
    internal void Launch(AcceleratorStream stream, KernelConfig config, TArguments arguments)
    {
        Load();
        loaded!(stream, config, arguments);
    }
}
