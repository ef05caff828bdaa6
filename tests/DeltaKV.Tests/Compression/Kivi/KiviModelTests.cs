using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Kivi;
using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Tests.Model;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.Kivi;

/// <summary>Models over quantised layers: prompt in chunks and token by token, against Transformers' logits, and needle-16m's answers.</summary>
public class KiviModelTests
{
    public static TheoryData<string, bool, int> Models => new()
    {
        { "llama", false, 0 },
        { "mistral", false, 1 << 20 },
        { "qwen3", true, 0 },
        { "llama31-tied", true, 1 << 20 },
    };

    // Eight bits: steps of 1/255 of a group's range. Between other layers blocks of records and quantised blocks share a number.
    [Theory, AcceleratorMemberData(nameof(Models))]
    public void Eight_bits_lose_little(TestDevice device, string model, bool betweenOthers, int scratchBytes)
    {
        var accelerator = TestAccelerators.Get(device);
        using var harness = new ModelHarness<BFloat16>(
            accelerator,
            GoldenLogitsTests.Directory(model),
            256,
            shape => new BFloat16Kernels(accelerator, shape, 8),
            (stream, config, _, kernels) =>
            {
                var codecs = new LinearCodec?[config.LayerCount];
                KiviCode?[] kivi = [.. codecs.Select(_ => new KiviCode(8, 8))];
                if (betweenOthers)
                    (codecs[0], kivi[0], kivi[^1]) = (IdentityCodec.Create(config.KeyValueHeadCount, config.HeadDim, neighbours: 2), null, config.LayerCount > 2 ? null : kivi[^1]);
                var format = new CodedKvFormat(kernels.Shape, codecs, new CodedKvOptions { Sinks = 32, Recent = 32 }, kivi: kivi);
                return new CodedKvLayers(
                    stream, kernels, format, CodedKvCapacity.ForBytes(format, 64 << 20, 4, 256, 1024), config.Rope, new KvLimits(4, 256, 256, scratchBytes), prefixCaching: false);
            });
        Assert.InRange(GoldenLogitsTests.RelativeError(model, harness.Run), 1e-6, 2e-2);
    }

    [Fact]
    public void Needle_answers_and_predicts_as_with_the_full_cache()
    {
        const int Length = 500;
        var plan = new EvaluationPlan
        {
            Methods = ["full", "kivi-8:recent=32", "kivi-4:recent=32,hadamard=true,first=recomputed"], Tasks = ["attr"], Lengths = [Length], Questions = 3, QuestionsPerDocument = 3, TextTokens = 32,
        };
        var records = new EvaluationRunner(plan, new EvaluationJournal(), ModelTokenizer.Load(TestModels.Needle), method => new DeviceTarget(
            TestModels.Needle,
            new EngineOptions { Device = ComputeDevice.Cpu, MaxSequences = 1, MaxModelLength = Length + 600, MaxBatchTokens = 256, KvMethod = method })).Run();

        Assert.All(records, record => Assert.Equal(3, record.Correct));
        Assert.InRange(records[1].KlMean!.Value, 0, 1e-3);
        Assert.InRange(records[2].KlMean!.Value, records[1].KlMean!.Value, 0.1);
        Assert.Equal(records[0].Perplexity!.Value, records[1].Perplexity!.Value, 0.02);
        // Codes and scales, and a window of 32 to 63 raw tokens of some 550.
        Assert.InRange(records[1].Ratio, 0.5625, 0.68);
        // One of eight layers stores token ids alone.
        Assert.InRange(records[2].Ratio, 0.3125 * 7 / 8, 0.44);
    }
}
