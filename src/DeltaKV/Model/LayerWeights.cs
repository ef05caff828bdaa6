using DeltaKV.Gpu;

namespace DeltaKV.Model;

/// <summary>The weights of one transformer layer on the device. A linear weight is <c>[outputs, inputs]</c>; an absent one is empty.</summary>
/// <param name="AttentionNorm"><c>[hidden]</c></param>
/// <param name="Qkv">Query, key and value rows under each other: <c>[(heads + 2 kvHeads) * headDim, hidden]</c>.</param>
/// <param name="QkvBias"><c>[(heads + 2 kvHeads) * headDim]</c> (Qwen2).</param>
/// <param name="QueryNorm"><c>[headDim]</c> (Qwen3).</param>
/// <param name="KeyNorm"><c>[headDim]</c> (Qwen3).</param>
/// <param name="Output"><c>[hidden, heads * headDim]</c></param>
/// <param name="FeedForwardNorm"><c>[hidden]</c></param>
/// <param name="GateUp">Gate rows, then up rows: <c>[2 intermediate, hidden]</c>.</param>
/// <param name="Down"><c>[hidden, intermediate]</c></param>
internal sealed record LayerWeights<T>(
    ArrayView<T> AttentionNorm,
    ArrayView<T> Qkv,
    ArrayView<T> QkvBias,
    ArrayView<T> QueryNorm,
    ArrayView<T> KeyNorm,
    ArrayView<T> Output,
    ArrayView<T> FeedForwardNorm,
    ArrayView<T> GateUp,
    ArrayView<T> Down)
    where T : unmanaged;
