using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu;

/// <summary>Finds the kernel behind a launch delegate.</summary>
public static class KernelDelegateExtensions
{
    /// <summary>The kernel that a delegate returned by <c>LoadKernel</c> or a sibling launches.</summary>
    public static Kernel GetKernel<TDelegate>(this TDelegate kernelDelegate)
        where TDelegate : Delegate
    {
        ArgumentNullException.ThrowIfNull(kernelDelegate);
        return kernelDelegate.Target is KernelLauncher launcher
            ? launcher.Kernel
            : throw new ArgumentException("The delegate was not returned by LoadKernel, LoadStreamKernel or a sibling.", nameof(kernelDelegate));
    }
}
