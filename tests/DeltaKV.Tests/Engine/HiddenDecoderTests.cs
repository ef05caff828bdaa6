using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Model;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Engine;

/// <summary>needle-16m with a codec whose decoders have a hidden layer: a prompt read in chunks, then one that starts from what was kept of it beside another.</summary>
public sealed class HiddenDecoderTests
{
    private const int Length = 500;

    [Theory]
    [InlineData("", "")]
    [InlineData(",observers=2+5,top=48", ",hot=64")]
    public async Task PromptsAreAnsweredAsWithoutTheLayerAndAgainFromWhatWasKept(string settings, string hot)
    {
        using var directory = new TemporaryDirectory();
        var (linear, hidden) = (directory.File("linear.safetensors"), directory.File("hidden.safetensors"));
        CodecFile.Save(Codec(codec => codec), linear);
        CodecFile.Save(Codec(codec => CodecSamples.WithIdleDecoder(codec, FeatureActivation.Gelu)), hidden);

        var expected = await Answers($"deltakv:codec={linear},recent=32{settings}");
        var found = await Answers($"deltakv:codec={hidden},recent=32{settings}{hot}");

        Assert.Equal(expected, found);
    }

    /// <summary>Two questions: one alone, then both at once, the first of which starts from what was kept.</summary>
    private static async Task<string[]> Answers(string method)
    {
        var plan = new EvaluationPlan { Methods = ["full"], Tasks = ["copy"], Lengths = [Length], Questions = 2, QuestionsPerDocument = 1 };
        var questions = new EvaluationDocuments(plan, ModelTokenizer.Load(TestModels.Needle)).Of("copy", Length).Select(document => document.Questions[0]).ToArray();
        await using var engine = await LlmEngine.LoadAsync(TestModels.Needle, DeviceEngine.OnDevice(
            new EngineOptions { KvMethod = method, MaxSequences = 2, MaxBatchTokens = 128, MaxModelLength = Length + 128 }));
        var alone = await Complete(questions[0]);
        var together = await Task.WhenAll(Complete(questions[1]), Complete(questions[0]));
        Assert.InRange(together[1].Statistics.CachedTokens, 256, Length);
        return [alone.Text, .. together.Select(result => result.Text)];

        Task<GenerationResult> Complete(EvaluationQuestion question) =>
            engine.CompleteAsync(question.Prompt, SamplingOptions.Greedy with { MaxTokens = question.MaximumTokens });
    }

    private static DeltaKvCodec Codec(Func<LinearCodec, LinearCodec> change)
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
                .. Enumerable.Repeat(new CodecLayer(LayerTreatment.Coded, change(bytes)), config.LayerCount - 1),
            ],
        };
    }
}
