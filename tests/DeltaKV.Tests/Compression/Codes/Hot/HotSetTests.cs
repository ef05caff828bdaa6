using DeltaKV.Cache.Selection;
using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Tests.Model;

namespace DeltaKV.Tests.Compression.Codes.Hot;

/// <summary>A model that decodes with a hot set, against the same model that reconstructs every selected token in every step.</summary>
public class HotSetTests
{
    public static TheoryData<int, int, bool> Cases => new() { { 0, 32, false }, { 4, 48, false }, { 4, 48, true } };

    // Slots hold what the fused kernels round to bf16 too.
    [Theory, AcceleratorMemberData(nameof(Cases))]
    public void Slots_read_like_codes(TestDevice device, int neighbours, int selected, bool hiddenDecoder)
    {
        var (fused, _, usage) = Run(device, neighbours, selected, 0, false);
        var (hot, totals, hotUsage) = Run(device, neighbours, selected, 64, hiddenDecoder);
        var distance = Math.Sqrt(hot.Zip(fused, (x, y) => Math.Pow(x - y, 2)).Sum() / fused.Sum(y => (double)y * y));
        Assert.InRange(distance, 0, 1e-2);
        Assert.True(totals.Found > totals.Selected / 4 && totals.Found < totals.Selected, $"{totals.Found} of {totals.Selected} were found.");
        // One layer reads what layer 0 selects: 64 slots of keys and values of its heads.
        Assert.Equal(usage + (64 * 2 * 2 * 64 * 2), hotUsage);
    }

    private static (float[] Logits, (int Selected, int Found) Totals, long Bytes) Run(TestDevice device, int neighbours, int selected, int hotTokens, bool hiddenDecoder)
    {
        var accelerator = TestAccelerators.Get(device);
        CodedKvLayers? layers = null;
        using var harness = new ModelHarness<BFloat16>(
            accelerator,
            GoldenLogitsTests.Directory("llama"),
            256,
            shape => new BFloat16Kernels(accelerator, shape, 8),
            (stream, config, _, kernels) =>
            {
                var codec = IdentityCodec.Create(config.KeyValueHeadCount, config.HeadDim, neighbours);
                codec = hiddenDecoder ? CodecSamples.WithIdleDecoder(codec, FeatureActivation.Gelu) : codec;
                var codecs = Enumerable.Repeat<LinearCodec?>(codec, config.LayerCount).ToArray();
                var options = new CodedKvOptions { Sinks = 16, Recent = 32, Selection = new SelectionBudget(selected, 0), HotTokens = hotTokens };
                var format = new CodedKvFormat(kernels.Shape, codecs, options, observers: [0]);
                var limits = new KvLimits(4, 256, 256, 0);
                return layers = new CodedKvLayers(stream, kernels, format, CodedKvCapacity.ForBytes(format, 64 << 20, 4, 256, 1024), config.Rope, limits, prefixCaching: false);
            });
        var random = new Random(3);
        int[] tokens = [.. Enumerable.Range(0, 200).Select(_ => random.Next(harness.Config.VocabularySize))];
        harness.Run(tokens.AsSpan(0, 180));
        float[] logits = [.. tokens.AsSpan(180).ToArray().SelectMany(token => harness.Run([token], decode: true)[0])];
        return (logits, layers!.Hot?.Totals() ?? default, harness.Usage.TotalBytes);
    }
}
