using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Compression;

/// <summary>What a method gets to build its cache on a device.</summary>
/// <param name="Stream">The stream all steps run on.</param>
/// <param name="Config">The model.</param>
/// <param name="Weights">Its weights on the device.</param>
/// <param name="Kernels">The kernels of the forward pass; not owned.</param>
/// <param name="Bytes">What the pools may take.</param>
/// <param name="Limits">Sequences, new tokens of a step, tokens of a sequence.</param>
/// <param name="PrefixCaching">Whether finished sequences are kept for prompts that begin alike.</param>
internal sealed record KvMethodContext(
    AcceleratorStream Stream,
    ModelConfig Config,
    DeviceWeights<BFloat16> Weights,
    ITransformerKernels<BFloat16> Kernels,
    long Bytes,
    KvLimits Limits,
    bool PrefixCaching);
