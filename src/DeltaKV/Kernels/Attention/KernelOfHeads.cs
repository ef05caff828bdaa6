using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>One kernel, made for every head size.</summary>
/// <param name="accelerator">Where it runs.</param>
/// <param name="of64">For <see cref="Heads.Of64"/>.</param>
/// <param name="of80">For <see cref="Heads.Of80"/>.</param>
/// <param name="of96">For <see cref="Heads.Of96"/>.</param>
/// <param name="of128">For <see cref="Heads.Of128"/>.</param>
internal sealed class KernelOfHeads<TArguments>(
    Accelerator accelerator, Action<TArguments> of64, Action<TArguments> of80, Action<TArguments> of96, Action<TArguments> of128)
    where TArguments : unmanaged
{
    private readonly KernelHandle<TArguments>[] kernels = [new(accelerator, of64), new(accelerator, of80), new(accelerator, of96), new(accelerator, of128)];

    /// <summary>Enqueues a launch of the one for heads of so many elements.</summary>
    internal void Launch(AcceleratorStream stream, int headDim, KernelConfig config, TArguments arguments) =>
        kernels[headDim switch { 64 => 0, 80 => 1, 96 => 2, _ => 3 }].Launch(stream, config, arguments);
}
