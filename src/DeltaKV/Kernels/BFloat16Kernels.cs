using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Kernels;

/// <summary>The kernels of a bf16 model: bf16 storage, fp32 sums.</summary>
/// <param name="accelerator">Where they run.</param>
/// <param name="shape">The heads of every layer.</param>
/// <param name="maxDecodeRows">The most sequences that decode together.</param>
internal sealed class BFloat16Kernels(Accelerator accelerator, AttentionShape shape, int maxDecodeRows) : ITransformerKernels<BFloat16>
{
    private readonly GatherRowsKernel gather = new(accelerator);
    private readonly RmsNormKernel norm = new(accelerator);
    private readonly Linear linear = new(accelerator);
    private readonly RopeAppendKernel<BFloat16, BFloat16x2, BFloat16Pairs> ropeAppend = new(accelerator);
    private readonly DecodeAttention decode = new(accelerator, shape, maxDecodeRows);
    private readonly PrefillAttention prefill = new(accelerator, shape);

    /// <inheritdoc/>
    public AttentionShape Shape => shape;

    /// <inheritdoc/>
    public void Gather(AcceleratorStream stream, ArrayView<int> rows, ArrayView<BFloat16> table, ArrayView<BFloat16> y, int count, int width) =>
        gather.Launch(stream, rows, table, y, count, width);

    /// <inheritdoc/>
    public void Norm(
        AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> weight, ArrayView<BFloat16> y, int tokens, int width, float epsilon) =>
        norm.Launch(stream, x, weight, y, tokens, width, epsilon);

    /// <inheritdoc/>
    public void AddNorm(
        AcceleratorStream stream,
        ArrayView<BFloat16> x,
        ArrayView<BFloat16> delta,
        ArrayView<BFloat16> weight,
        ArrayView<BFloat16> y,
        int tokens,
        int width,
        float epsilon) => norm.LaunchAdd(stream, x, delta, weight, y, tokens, width, epsilon);

    /// <inheritdoc/>
    public void Linear(AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> weight, ArrayView<BFloat16> y, int m, int n, int k) =>
        linear.Launch(stream, x, weight, y, m, n, k);

    /// <inheritdoc/>
    public void LinearBias(
        AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> weight, ArrayView<BFloat16> bias, ArrayView<BFloat16> y, int m, int n, int k) =>
        linear.LaunchBias(stream, x, weight, bias, y, m, n, k);

    /// <inheritdoc/>
    public void LinearAdd(
        AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> weight, ArrayView<BFloat16> addend, ArrayView<BFloat16> y, int m, int n, int k) =>
        linear.LaunchAdd(stream, x, weight, addend, y, m, n, k);

    /// <inheritdoc/>
    public void LinearSwiGlu(AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> gateUp, ArrayView<BFloat16> y, int m, int n, int k) =>
        linear.LaunchSwiGlu(stream, x, gateUp, y, m, n, k);

    /// <inheritdoc/>
    public void Logits(
        AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> weight, ArrayView<float> logits, int m, int vocabulary, int k) =>
        linear.LaunchLogits(stream, x, weight, logits, m, vocabulary, k);

    /// <inheritdoc/>
    public void RopeAppend(
        AcceleratorStream stream, ArrayView<BFloat16> qkv, TokenRows rows, KvBlocks<BFloat16> cache, RopeWeights<BFloat16> rope, int count) =>
        ropeAppend.Launch(stream, qkv, rows, cache, rope, shape, count);

    /// <inheritdoc/>
    public void DecodeAttention(
        AcceleratorStream stream, ArrayView<BFloat16> qkv, TokenRows rows, KvBlocks<BFloat16> cache, ArrayView<BFloat16> output, int count) =>
        decode.Launch(stream, qkv, rows, cache, output, count);

    /// <inheritdoc/>
    public void PrefillAttention(
        AcceleratorStream stream,
        ArrayView<BFloat16> qkv,
        ArrayView<PrefillTile> tiles,
        KvBlocks<BFloat16> cache,
        ArrayView<BFloat16> output,
        int tileCount) => prefill.Launch(stream, qkv, tiles, cache, output, tileCount);

    /// <inheritdoc/>
    public void Dispose()
    {
        decode.Dispose();
    }
}
