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
        var records = new EvaluationRunner(plan, new EvaluationJournal(), ModelTokenizer.Load(TestModels.Needle), method => Open(method)).Run();

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

    [Theory]
    [InlineData("full", 4, null)]
    [InlineData("int4:recent=32", 4, null)]
    [InlineData("int4:first=recomputed,scales=token", 4, null)]
    [InlineData("int3:first=recomputed,scales=token", 4, null)]
    [InlineData("full", 4, Length + 200)]
    [InlineData("h2o:share=50", 4, 340)]
    [InlineData("kvzip:share=50,chunk=128", 4, 340)]
    public void Answers_of_a_batch_are_those_of_questions_asked_alone(string method, int sequences, int? cachedTokens)
    {
        using var target = Open(method, sequences, cachedTokens);
        var document = Documents(target.Tokenizer, "copy", 4);
        using var context = target.Start(document.Context);
        var alone = document.Questions.Select(q => context.Ask(q.Turn, q.MaximumTokens, keep: false)).ToArray();

        var together = context.AskEach([.. document.Questions.Select(q => new EvaluationTurn(q.Turn, q.MaximumTokens))]);

        Assert.Equal(alone.Select(a => target.Tokenizer.Decode(a.Tokens)), together.Select(a => target.Tokenizer.Decode(a.Tokens)));
        Assert.Equal(alone.Select(a => (a.KvBytes, a.FullKvBytes)), together.Select(a => (a.KvBytes, a.FullKvBytes)));
        Assert.All(together, a => Assert.True(a.TimeToFirstTokenMs > 0 && a.DecodeTokensPerSecond > 0));
    }

    [Fact]
    public void A_context_that_others_pushed_out_of_the_cache_is_read_again()
    {
        // Room for one context and a question.
        using var target = Open("full", 1, Length + 140);
        var documents = new[] { "attr", "copy" }.Select(task => Documents(target.Tokenizer, task, 1)).ToArray();
        using var first = target.Start(documents[0].Context);
        using var second = target.Start(documents[1].Context);
        string Answer(IEvaluationContext context, EvaluationDocument document) =>
            target.Tokenizer.Decode(context.Ask(document.Questions[0].Turn, document.Questions[0].MaximumTokens, keep: false).Tokens).Trim();

        Assert.Equal(documents[0].Questions[0].References[0], Answer(first, documents[0]));
        Assert.Equal(documents[1].Questions[0].References[0], Answer(second, documents[1]));
        Assert.Equal(documents[0].Questions[0].References[0], Answer(first, documents[0]));
    }

    [Fact]
    public void A_context_that_is_not_kept_is_not_computed_again_with_the_question_in_sight()
    {
        using var target = new DeviceTarget(TestModels.Needle, Options("full", 1, null) with { PrefixCaching = false });
        var document = Documents(target.Tokenizer, "attr", 1);
        using var context = target.Start(document.Context);
        var question = document.Questions[0];
        var error = Assert.Throws<EvaluationException>(() => context.Ask(question.Turn, question.MaximumTokens, keep: false));
        Assert.Contains("took over 0 of", error.Message, StringComparison.Ordinal);

        // The question in the prompt is another matter.
        using var nothing = target.Start([]);
        var answer = nothing.Ask(question.Prompt, question.MaximumTokens, keep: false);
        Assert.Equal(question.References[0], target.Tokenizer.Decode(answer.Tokens).Trim());
    }

    [Fact]
    public void Targets_share_a_device_and_refuse_what_they_cannot_open()
    {
        using var targets = new DeviceTargets(TestModels.Needle, Options("full", 1, null), Length, parallel: 2);
        targets.Check(["full", "int4"]);
        Assert.Throws<ArgumentException>(() => targets.Check(["full", "origami"]));
        using (var one = targets.Open("full", EvaluationSetting.Agnostic))
        using (var other = targets.Open("int4", EvaluationSetting.Aware))
        {
            one.EnsureFits(Length);
            other.EnsureFits(Length);
        }

        using var again = targets.Open("int8", EvaluationSetting.Agnostic);
        again.EnsureFits(Length);
        var error = Assert.Throws<EvaluationException>(() => new DeviceTargets(TestModels.Needle, Options("full", 1, null), 1_000_000, parallel: 1));
        Assert.Contains("16384 positions", error.Message, StringComparison.Ordinal);
    }

    private static EvaluationDocument Documents(IEvaluationTokenizer tokenizer, string task, int questions) => new EvaluationDocuments(
        new EvaluationPlan { Methods = ["full"], Tasks = [task], Lengths = [Length], Questions = questions, QuestionsPerDocument = questions }, tokenizer).Of(task, Length)[0];

    private static EngineOptions Options(string method, int sequences, int? cachedTokens) => new()
    {
        Device = ComputeDevice.Cpu, MaxSequences = sequences, MaxModelLength = Length + 100, MaxBatchTokens = 256, KvMethod = method,
        KvCacheBytes = cachedTokens * 8192L,
    };

    private static DeviceTarget Open(string method, int sequences = 1, int? cachedTokens = null) => new(TestModels.Needle, Options(method, sequences, cachedTokens));
}
