using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>A cache that attends in some layers only: the difference between two such steps is what attention of a layer costs inside a step, not alone.</summary>
/// <param name="whole">The cache; not owned.</param>
/// <param name="attends">Which layers attend.</param>
internal sealed class PartialLayers(IKvLayers<BFloat16> whole, Predicate<int> attends) : IKvLayers<BFloat16>
{
    public IKvCache Cache => whole.Cache;

    public void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences) => whole.Prepare(stream, sequences);

    public KvBlocks<BFloat16> Blocks(int layer) => whole.Blocks(layer);

    public void Attend(AcceleratorStream stream, int layer, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output)
    {
        if (attends(layer))
            whole.Attend(stream, layer, qkv, step, output);
    }

    public void Dispose()
    {
    }
}
