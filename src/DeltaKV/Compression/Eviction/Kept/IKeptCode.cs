using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>A form that kept tokens have on the device. Layers are the model's; sequences are those of the last prepared step.</summary>
internal interface IKeptCode : IDisposable
{
    /// <summary>Codes tokens.</summary>
    void Encode(AcceleratorStream stream, int layer, KeptSource source, KeptTarget target);

    /// <summary>Attends from the step's single queries.</summary>
    void Decode(AcceleratorStream stream, int layer, KvBlocks<BFloat16> raw, TokenOrder order, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output);

    /// <summary>Attends from tiles of prompts.</summary>
    void Prefill(
        AcceleratorStream stream, int layer, KvBlocks<BFloat16> raw, TokenOrder order, ArrayView<BFloat16> qkv, ArrayView<PrefillTile> tiles, int tileCount, ArrayView<BFloat16> output);

    /// <summary>Writes the tokens of a sequence from a slot on as plain blocks.</summary>
    KvBlocks<BFloat16> Reconstruct(AcceleratorStream stream, int layer, KvBlocks<BFloat16> raw, TokenOrder order, int row, int start, int length);
}
