using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Model;

/// <summary>A device with a model on it: what was opened and allocated, in the order of its release. Without a context the accelerator is someone else's.</summary>
internal sealed record ModelDevice<T>(
    Context? Context, Accelerator Accelerator, AcceleratorStream Stream, DeviceWeights<T> Weights, ITransformerKernels<T> Kernels, IKvLayers<T> Layers) : IDisposable
    where T : unmanaged
{
    public void Dispose()
    {
        Layers.Dispose();
        Kernels.Dispose();
        Weights.Dispose();
        Stream.Dispose();
        if (Context is null)
            return;
        Accelerator.Dispose();
        Context.Dispose();
    }
}
