using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Kernels.Single;

namespace DeltaKV.Kernels;

/// <summary>The kernels of an fp32 model: slow, for comparing with other implementations.</summary>
/// <param name="accelerator">Where they run.</param>
/// <param name="shape">The heads of every layer.</param>
internal sealed class SingleKernels(Accelerator accelerator, AttentionShape shape) : ITransformerKernels<float>
{
    private readonly GatherRowsKernel gather = new(accelerator);
    private readonly SingleNorm norm = new(accelerator);
    private readonly SingleLinear linear = new(accelerator);
    private readonly RopeAppendKernel<float, Float2, SinglePairs> ropeAppend = new(accelerator);
    private readonly SingleAttention attention = new(accelerator, shape);

    /// <inheritdoc/>
    public AttentionShape Shape => shape;

    /// <inheritdoc/>
    public void Gather(AcceleratorStream stream, ArrayView<int> rows, ArrayView<float> table, ArrayView<float> y, int count, int width) =>
        gather.Launch(stream, rows, table, y, count, width);

    /// <inheritdoc/>
    public void Norm(
        AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> y, int tokens, int width, float epsilon) =>
        norm.Launch(stream, x, default, weight, y, tokens, width, epsilon);

    /// <inheritdoc/>
    public void AddNorm(
        AcceleratorStream stream,
        ArrayView<float> x,
        ArrayView<float> delta,
        ArrayView<float> weight,
        ArrayView<float> y,
        int tokens,
        int width,
        float epsilon) => norm.Launch(stream, x, delta, weight, y, tokens, width, epsilon);

    /// <inheritdoc/>
    public void Linear(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> y, int m, int n, int k) =>
        linear.Launch(stream, x, weight, y, m, n, k);

    /// <inheritdoc/>
    public void LinearBias(
        AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> bias, ArrayView<float> y, int m, int n, int k) =>
        linear.LaunchBias(stream, x, weight, bias, y, m, n, k);

    /// <inheritdoc/>
    public void LinearAdd(
        AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> addend, ArrayView<float> y, int m, int n, int k) =>
        linear.LaunchAdd(stream, x, weight, addend, y, m, n, k);

    /// <inheritdoc/>
    public void LinearSwiGlu(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> gateUp, ArrayView<float> y, int m, int n, int k) =>
        linear.LaunchSwiGlu(stream, x, gateUp, y, m, n, k);

    /// <inheritdoc/>
    public void Logits(
        AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> logits, int m, int vocabulary, int k) =>
        linear.Launch(stream, x, weight, logits, m, vocabulary, k);

    /// <inheritdoc/>
    public void RopeAppend(
        AcceleratorStream stream, ArrayView<float> qkv, TokenRows rows, KvBlocks<float> cache, RopeWeights<float> rope, int count) =>
        ropeAppend.Launch(stream, qkv, rows, cache, rope, shape, count);

    /// <inheritdoc/>
    public void DecodeAttention(
        AcceleratorStream stream, ArrayView<float> qkv, TokenRows rows, KvBlocks<float> cache, ArrayView<float> output, int count) =>
        attention.LaunchDecode(stream, qkv, rows, cache, output, count);

    /// <inheritdoc/>
    public void PrefillAttention(
        AcceleratorStream stream,
        ArrayView<float> qkv,
        ArrayView<PrefillTile> tiles,
        KvBlocks<float> cache,
        ArrayView<float> output,
        int tileCount) => attention.LaunchPrefill(stream, qkv, tiles, cache, output, tileCount);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is owned beyond what the accelerator frees.
    }
}
