using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Model;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Engine;

/// <summary>needle-16m with the codec beside its weights, as the demo runs it.</summary>
public sealed class CompressedPromptTests
{
    private const int Length = 700;

    [Fact]
    public async Task APromptIsCompressedAsItIsReadAndAnsweredRightly()
    {
        var tokenizer = ModelTokenizer.Load(TestModels.Needle);
        var plan = new EvaluationPlan { Methods = ["full"], Tasks = ["attr"], Lengths = [Length], Questions = 1 };
        var question = new EvaluationDocuments(plan, tokenizer).Of("attr", Length)[0].Questions[0];
        var options = DeviceEngine.OnDevice(
            new EngineOptions { KvMethod = "auto", MaxSequences = 1, MaxBatchTokens = 128, MaxModelLength = Length + 64 });
        await using var engine = await LlmEngine.LoadAsync(TestModels.Needle, options);

        var result = await engine.CompleteAsync(question.Prompt, SamplingOptions.Greedy with { MaxTokens = 16 });

        Assert.Equal(question.References[0], result.Text.Trim());
        var kv = result.Statistics.Kv;
        Assert.InRange(kv.Ratio, 0.05, 0.25);
        // A chunk is uncompressed until its step ends; the prompt as a whole never is.
        Assert.InRange(result.Statistics.PeakKvBytes, kv.TotalBytes + 1, kv.FullBytes / 2);
    }
}
