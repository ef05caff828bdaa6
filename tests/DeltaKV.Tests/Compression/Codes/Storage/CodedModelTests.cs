using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Model;
using DeltaKV.Tests.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.Codes.Storage;

/// <summary>Models of every architecture over a coded cache, prompt in chunks and token by token, against Transformers' logits.</summary>
public class CodedModelTests
{
    public static TheoryData<string> Models => ["llama", "llama31-tied", "mistral", "qwen2", "qwen2-yarn", "qwen3"];

    // The bf16 tolerance of the uncompressed cache: storing halves costs nothing that shows.
    [Theory, AcceleratorMemberData(nameof(Models))]
    public void Identity_codes_keep_bf16_accuracy(TestDevice device, string model) =>
        Assert.InRange(RelativeError(device, model, (heads, dim) => IdentityCodec.Create(heads, dim), recompute: false), 1e-6, 1e-2);

    [Theory, AcceleratorMemberData(nameof(Models))]
    public void Prompts_reconstructed_in_scratch_keep_bf16_accuracy(TestDevice device, string model) =>
        Assert.InRange(RelativeError(device, model, (heads, dim) => IdentityCodec.Create(heads, dim), recompute: false, scratchBytes: 1 << 20), 1e-6, 1e-2);

    [Theory, AcceleratorMemberData(nameof(Models))]
    public void A_first_layer_recomputed_from_token_ids_keeps_bf16_accuracy(TestDevice device, string model) =>
        Assert.InRange(RelativeError(device, model, (heads, dim) => IdentityCodec.Create(heads, dim), recompute: true), 1e-6, 1e-2);

    [Theory, AcceleratorMemberData(nameof(Models))]
    public void References_with_identity_residuals_keep_bf16_accuracy(TestDevice device, string model) =>
        Assert.InRange(RelativeError(device, model, (heads, dim) => IdentityCodec.Create(heads, dim, neighbours: 4), recompute: false), 1e-6, 1e-2);

    [Theory, AcceleratorMemberData(nameof(Models))]
    public void Networks_that_are_the_identity_keep_bf16_accuracy(TestDevice device, string model)
    {
        Assert.InRange(RelativeError(device, model, (heads, dim) => CodecSamples.IdentityNetwork(FeatureActivation.Gelu, heads, dim, 0), recompute: false), 1e-6, 1e-2);
        Assert.InRange(RelativeError(device, model, (heads, dim) => CodecSamples.IdentityNetwork(FeatureActivation.SwiGlu, heads, dim, 4), recompute: true), 1e-6, 1e-2);
    }

    [Theory, AcceleratorMemberData(nameof(Models))]
    public void Decoders_whose_hidden_layer_changes_nothing_keep_bf16_accuracy(TestDevice device, string model)
    {
        Assert.InRange(RelativeError(device, model, (heads, dim) => CodecSamples.WithIdleDecoder(IdentityCodec.Create(heads, dim), FeatureActivation.Gelu), recompute: false), 1e-6, 1e-2);
        Assert.InRange(RelativeError(device, model, (heads, dim) => CodecSamples.WithIdleDecoder(IdentityCodec.Create(heads, dim, neighbours: 4), FeatureActivation.SwiGlu), recompute: true), 1e-6, 1e-2);
    }

    [Theory, AcceleratorMemberData(nameof(Models))]
    public void References_found_in_two_levels_keep_bf16_accuracy(TestDevice device, string model) =>
        Assert.InRange(RelativeError(device, model, (heads, dim) => IdentityCodec.Create(heads, dim, neighbours: 4), recompute: false, twoLevelFrom: 2), 1e-6, 1e-2);

    // Eight bits per dimension after rotation: steps of 1/255 of a chunk's range.
    [Theory, AcceleratorMemberData(nameof(Models))]
    public void Rotated_bytes_lose_little(TestDevice device, string model) =>
        Assert.InRange(RelativeError(device, model, (heads, dim) => HadamardCodec.Create(heads, dim, ChunkWidth.Bits8, ChunkWidth.Bits8), recompute: false), 1e-6, 2e-2);

    // Three bits leave errors of a fifth of what is stored, of which averages over random weights leave little.
    [Theory, AcceleratorMemberData(nameof(Models))]
    public void Rotated_groups_of_three_bits_lose_more(TestDevice device, string model) =>
        Assert.InRange(RelativeError(device, model, (heads, dim) => HadamardCodec.Create(heads, dim, ChunkWidth.Bits3, ChunkWidth.Bits3), recompute: false), 1e-2, 6e-2);

    private static double RelativeError(TestDevice device, string model, Func<int, int, LinearCodec> codec, bool recompute, int scratchBytes = 0, int twoLevelFrom = 0)
    {
        var accelerator = TestAccelerators.Get(device);
        using var harness = new ModelHarness<BFloat16>(
            accelerator,
            GoldenLogitsTests.Directory(model),
            256,
            shape => new BFloat16Kernels(accelerator, shape, 8),
            (stream, config, weights, kernels) => Open(stream, config, weights, kernels, codec(config.KeyValueHeadCount, config.HeadDim), recompute, scratchBytes, twoLevelFrom));
        return GoldenLogitsTests.RelativeError(model, harness.Run);
    }

    /// <summary>The last layer stays raw, all others are coded, so that both read paths take part.</summary>
    private static CodedKvLayers Open(
        AcceleratorStream stream,
        ModelConfig config,
        DeviceWeights<BFloat16> weights,
        ITransformerKernels<BFloat16> kernels,
        LinearCodec codec,
        bool recompute,
        int scratchBytes,
        int twoLevelFrom)
    {
        var codecs = Enumerable.Repeat<LinearCodec?>(codec, config.LayerCount).ToArray();
        codecs[^1] = null;
        if (recompute)
            codecs[0] = FirstLayerTable.Codec(config.KeyValueHeadCount, config.HeadDim);
        var format = new CodedKvFormat(kernels.Shape, codecs, new CodedKvOptions { Sinks = 16, Recent = 32, TwoLevelFrom = twoLevelFrom }, recompute);
        var capacity = CodedKvCapacity.ForBytes(format, 64 << 20, 4, 256, 1024);
        return new CodedKvLayers(
            stream, kernels, format, capacity, config.Rope, new KvLimits(4, 256, 256, scratchBytes), prefixCaching: false,
            recompute ? new FirstLayerTable(stream, config, weights, kernels) : null);
    }
}
