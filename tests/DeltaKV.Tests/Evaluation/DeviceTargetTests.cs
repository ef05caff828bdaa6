using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Evaluation;

/// <summary>needle-16m on the CPU accelerator through the path that evaluation takes.</summary>
public class DeviceTargetTests
{
    private const int Length = 500;

    [Fact]
    public void An_identity_codec_answers_and_predicts_as_the_full_cache_does()
    {
        var plan = new EvaluationPlan
        {
            Methods = ["full", "identity:recent=32"], Tasks = ["attr"], Lengths = [Length], Questions = 3, QuestionsPerDocument = 3, TextTokens = 32,
        };
        var records = new EvaluationRunner(plan, new EvaluationJournal(), Open).Run();

        Assert.Equal(3, records[0].Correct);
        Assert.Equal(3, records[1].Correct);
        // bf16 keys that were turned back and forth: a bit here and there.
        Assert.InRange(records[1].KlMean!.Value, 0, 1e-3);
        Assert.Equal(records[0].Perplexity!.Value, records[1].Perplexity!.Value, 0.01);
    }

    [Fact]
    public void Codes_take_fewer_bytes_and_answers_start_from_the_compressed_context()
    {
        using var target = Open("int4:recent=32");
        var documents = new EvaluationDocuments(
            new EvaluationPlan { Methods = ["int4"], Tasks = ["attr"], Lengths = [Length], Questions = 2, QuestionsPerDocument = 2 }, target.Tokenizer);
        var document = documents.Of("attr", Length)[0];
        using var context = target.Start(document.Context);
        foreach (var question in document.Questions)
        {
            var answer = context.Ask(question.Turn, question.MaximumTokens, keep: false);
            Assert.Equal(question.References[0], target.Tokenizer.Decode(answer.Tokens).Trim());
            Assert.InRange((double)answer.KvBytes / answer.FullKvBytes, 0.28, 0.55);
            Assert.True(answer.PeakKvBytes > answer.KvBytes);
        }
    }

    [Fact]
    public void Documents_that_do_not_fit_are_refused_before_anything_runs()
    {
        using var target = Open("full");
        var error = Assert.Throws<EvaluationException>(() => target.EnsureFits(100_000));
        Assert.Contains("100000", error.Message, StringComparison.Ordinal);
    }

    private static DeviceTarget Open(string method) => new(
        TestModels.Needle,
        new EngineOptions { Device = ComputeDevice.Cpu, MaxSequences = 1, MaxModelLength = Length + 600, MaxBatchTokens = 256, KvMethod = method });
}
