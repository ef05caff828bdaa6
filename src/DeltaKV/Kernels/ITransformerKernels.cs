using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Kernels;

/// <summary>
/// What a transformer's forward pass asks of the device, so that the model is written once: <see cref="BFloat16Kernels"/> runs it fast,
/// <see cref="SingleKernels"/> exactly. Every call enqueues and returns; none allocates after its first use.
/// </summary>
/// <remarks>Shapes are row-major: activations <c>[tokens, features]</c>, weights <c>[outputs, inputs]</c> as Hugging Face stores them.</remarks>
/// <typeparam name="T">The type of weights, activations and cache: <see cref="BFloat16"/> or float.</typeparam>
internal interface ITransformerKernels<T> : IDisposable
    where T : unmanaged
{
    /// <summary>The heads these kernels attend with.</summary>
    AttentionShape Shape { get; }

    /// <summary><c>y[t,:] = table[rows[t],:]</c>: embeds tokens, or picks rows. A negative row gives zeros.</summary>
    void Gather(AcceleratorStream stream, ArrayView<int> rows, ArrayView<T> table, ArrayView<T> y, int count, int width);

    /// <summary>RMS norm of every row of x.</summary>
    void Norm(AcceleratorStream stream, ArrayView<T> x, ArrayView<T> weight, ArrayView<T> y, int tokens, int width, float epsilon);

    /// <summary><c>x += delta</c>, then the RMS norm of x.</summary>
    void AddNorm(
        AcceleratorStream stream, ArrayView<T> x, ArrayView<T> delta, ArrayView<T> weight, ArrayView<T> y, int tokens, int width, float epsilon);

    /// <summary><c>y = x W^T</c>; x <c>[m, k]</c>, W <c>[n, k]</c>, y <c>[m, n]</c>; k a multiple of 8.</summary>
    void Linear(AcceleratorStream stream, ArrayView<T> x, ArrayView<T> weight, ArrayView<T> y, int m, int n, int k);

    /// <summary><c>y = x W^T + b</c>; b <c>[n]</c>.</summary>
    void LinearBias(AcceleratorStream stream, ArrayView<T> x, ArrayView<T> weight, ArrayView<T> bias, ArrayView<T> y, int m, int n, int k);

    /// <summary><c>y = x W^T + r</c>; r <c>[m, n]</c> may be y itself.</summary>
    void LinearAdd(AcceleratorStream stream, ArrayView<T> x, ArrayView<T> weight, ArrayView<T> addend, ArrayView<T> y, int m, int n, int k);

    /// <summary><c>y = silu(x G^T) * (x U^T)</c>; gateUp <c>[2n, k]</c> holds all rows of G before those of U; y <c>[m, n]</c>.</summary>
    void LinearSwiGlu(AcceleratorStream stream, ArrayView<T> x, ArrayView<T> gateUp, ArrayView<T> y, int m, int n, int k);

    /// <summary><c>logits = x W^T</c> in fp32; W <c>[vocabulary, k]</c>.</summary>
    void Logits(AcceleratorStream stream, ArrayView<T> x, ArrayView<T> weight, ArrayView<float> logits, int m, int vocabulary, int k);

    /// <summary>Norms (if the model has them) and rotates q in place and k, and writes k and v into the cache; k in qkv stays unrotated.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="qkv">All q heads, then k heads, then v heads of each row.</param>
    /// <param name="rows">Sequence and position of each row.</param>
    /// <param name="cache">The layer's blocks.</param>
    /// <param name="rope">The layer's rotary embedding.</param>
    /// <param name="count">The number of rows.</param>
    void RopeAppend(AcceleratorStream stream, ArrayView<T> qkv, TokenRows rows, KvBlocks<T> cache, RopeWeights<T> rope, int count);

    /// <summary>Attends from the newest token of <paramref name="count"/> sequences, one row each; output <c>[count, queryHeads * headDim]</c>.</summary>
    void DecodeAttention(AcceleratorStream stream, ArrayView<T> qkv, TokenRows rows, KvBlocks<T> cache, ArrayView<T> output, int count);

    /// <summary>Attends causally from the new tokens of <paramref name="tileCount"/> tiles; output <c>[rows, queryHeads * headDim]</c>.</summary>
    void PrefillAttention(
        AcceleratorStream stream, ArrayView<T> qkv, ArrayView<PrefillTile> tiles, KvBlocks<T> cache, ArrayView<T> output, int tileCount);
}
