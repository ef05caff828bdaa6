namespace DeltaKV.Gpu.Runtime;

/// <summary>
/// The target of a launch delegate; the generated part has one <c>Launch</c> per number of parameters. Arguments are copies on the calling
/// thread's stack, so their addresses hold for the call.
/// </summary>
/// <param name="kernel">The kernel to launch.</param>
/// <param name="groupSize">For implicitly grouped kernels: the group size, or 0 to choose one.</param>
internal sealed partial class KernelLauncher(Kernel kernel, int groupSize = 0)
{
    internal Kernel Kernel => kernel;
}
