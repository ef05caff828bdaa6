namespace DeltaKV.Gpu.Runtime;

/// <summary>The target of a launch delegate; the generated subclasses have one <c>Launch</c> per number of parameters.</summary>
/// <param name="kernel">The kernel to launch.</param>
/// <param name="groupSize">For implicitly grouped kernels: the group size, or 0 to choose one.</param>
internal abstract class KernelLauncher(Kernel kernel, int groupSize)
{
    internal Kernel Kernel => kernel;

    private protected int GroupSize => groupSize;
}
