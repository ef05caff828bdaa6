using DeltaKV.Cache;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.OmniKv;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Model;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression;

/// <summary>Prompt chunks that read chosen tokens of a coded history, against the same choice from a raw one: two caches, three read paths, one model.</summary>
public class SelectedPromptTests
{
    private const int PrefillTokens = 48;
    private const long OneBlock = 64 * 2 * 2 * 64 * sizeof(ushort);
    private static readonly KvLimits Limits = new(4, 256, 256, 0);

    public static TheoryData<bool, long, bool, bool> Cases => new()
    {
        { false, 0, false, false }, { true, 0, false, false }, { true, 1 << 20, false, false }, { false, 1 << 20, true, false }, { false, 0, true, true },
        // Room for 64 of the 118 tokens that are read.
        { false, OneBlock, false, false },
    };

    // Codes are the same keys and values in halves; a token may change places with one that scored as much.
    [Theory, AcceleratorMemberData(nameof(Cases))]
    public void Coded_history_is_read_like_raw_history(TestDevice device, bool perHead, long scratchBytes, bool codedObserver, bool hiddenDecoder)
    {
        var raw = Run(device, (stream, config, _, kernels) => new OmniKvLayers(
            stream, kernels, new OmniKvOptions { Observers = [0], Budget = SelectionBudget.All, PerHead = perHead, PrefillTokens = PrefillTokens, Sinks = 16, Recent = 32 }, config.LayerCount, 16, Limits, false));
        var coded = Run(device, (stream, config, _, kernels) => Coded(stream, config, kernels, perHead, scratchBytes, codedObserver, hiddenDecoder, PrefillTokens));
        var all = Run(device, (stream, config, _, kernels) => Coded(stream, config, kernels, perHead, scratchBytes, codedObserver, hiddenDecoder, 0));
        var (error, selection) = (Distance(coded, raw), Distance(all, raw));
        Assert.InRange(error, 0, 2e-2);
        Assert.True(selection > 3 * error, $"Leaving tokens out changes the logits by {selection:g3}, coding by {error:g3}: this test would not notice what is read.");
    }

    private static CodedKvLayers Coded(
        AcceleratorStream stream, ModelConfig config, ITransformerKernels<BFloat16> kernels, bool perHead, long scratchBytes, bool codedObserver, bool hiddenDecoder, int prefillTokens)
    {
        var codec = IdentityCodec.Create(config.KeyValueHeadCount, config.HeadDim);
        var codecs = Enumerable.Repeat<LinearCodec?>(hiddenDecoder ? CodecSamples.WithIdleDecoder(codec, FeatureActivation.Gelu) : codec, config.LayerCount).ToArray();
        codecs[0] = codedObserver ? codecs[0] : null;
        var options = new CodedKvOptions { Sinks = 16, Recent = 32, PrefillTokens = prefillTokens, SelectsPerHead = perHead };
        var format = new CodedKvFormat(kernels.Shape, codecs, options, observers: [0]);
        return new CodedKvLayers(
            stream, kernels, format, CodedKvCapacity.ForBytes(format, 64 << 20, 4, 256, 1024), config.Rope, Limits with { ScratchBytes = scratchBytes }, prefixCaching: false);
    }

    /// <summary>Logits of a prompt's second chunk, whose history is 160 tokens.</summary>
    private static float[] Run(TestDevice device, Func<AcceleratorStream, ModelConfig, DeviceWeights<BFloat16>, ITransformerKernels<BFloat16>, IKvLayers<BFloat16>> open)
    {
        var accelerator = TestAccelerators.Get(device);
        using var harness = new ModelHarness<BFloat16>(accelerator, GoldenLogitsTests.Directory("llama"), 256, shape => new BFloat16Kernels(accelerator, shape, 8), open);
        var random = new Random(3);
        int[] tokens = [.. Enumerable.Range(0, 230).Select(_ => random.Next(harness.Config.VocabularySize))];
        harness.Run(tokens.AsSpan(0, 160));
        return [.. harness.Run(tokens.AsSpan(160)).SelectMany(row => row)];
    }

    private static double Distance(float[] a, float[] b) =>
        Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum() / b.Sum(y => (double)y * y));
}
