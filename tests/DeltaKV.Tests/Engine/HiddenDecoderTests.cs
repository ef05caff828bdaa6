using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Model;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Engine;

/// <summary>needle-16m with a codec whose decoders have a hidden layer: a prompt read in chunks, then one that starts from what was kept of it.</summary>
public sealed class HiddenDecoderTests
{
    private const int Length = 500;

    [Theory]
    [InlineData("")]
    [InlineData(",observers=2+5,top=48,hot=64")]
    public async Task APromptIsAnsweredRightlyAndAgainFromWhatWasKept(string settings)
    {
        using var directory = new TemporaryDirectory();
        var file = directory.File("codec.safetensors");
        CodecFile.Save(Codec(), file);
        var tokenizer = ModelTokenizer.Load(TestModels.Needle);
        var plan = new EvaluationPlan { Methods = ["full"], Tasks = ["attr"], Lengths = [Length], Questions = 1 };
        var question = new EvaluationDocuments(plan, tokenizer).Of("attr", Length)[0].Questions[0];
        await using var engine = await LlmEngine.LoadAsync(TestModels.Needle, DeviceEngine.OnDevice(
            new EngineOptions { KvMethod = $"deltakv:codec={file},recent=32{settings}", MaxSequences = 2, MaxBatchTokens = 128, MaxModelLength = Length + 64 }));

        var first = await engine.CompleteAsync(question.Prompt, SamplingOptions.Greedy with { MaxTokens = 16 });
        var second = await engine.CompleteAsync(question.Prompt, SamplingOptions.Greedy with { MaxTokens = 16 });

        Assert.Equal(question.References[0], first.Text.Trim());
        Assert.Equal(first.Text, second.Text);
        Assert.InRange(second.Statistics.CachedTokens, 256, Length);
    }

    private static DeltaKvCodec Codec()
    {
        var config = ModelConfig.Load(TestModels.Needle);
        using var weights = ModelWeights.Open(TestModels.Needle);
        var bytes = HadamardCodec.Create(config.KeyValueHeadCount, config.HeadDim, ChunkWidth.Bits8, ChunkWidth.Bits8);
        return new DeltaKvCodec
        {
            Model = ModelFingerprint.Of(config, weights),
            Layers =
            [
                new CodecLayer(LayerTreatment.Recomputed),
                .. Enumerable.Repeat(new CodecLayer(LayerTreatment.Coded, CodecSamples.WithIdleDecoder(bytes, FeatureActivation.Gelu)), config.LayerCount - 1),
            ],
        };
    }
}
