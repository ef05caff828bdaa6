using DeltaKV.Gpu;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>A hidden layer's kernels, whatever its activation.</summary>
internal interface IHiddenLayerKernels
{
    /// <summary>Differences of features.</summary>
    void Forward(AcceleratorStream stream, HiddenLayerArguments arguments);

    /// <summary>Gradients of what the activation was applied to.</summary>
    void Backward(AcceleratorStream stream, HiddenLayerArguments arguments);
}
