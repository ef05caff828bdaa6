using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>needle-16m over evicting caches through the path that evaluation takes.</summary>
public class EvictionEvaluationTests
{
    private const int Length = 500;

    [Theory]
    [InlineData("snapkv:share=50,window=16")]
    [InlineData("streaming-llm:budget=200")]
    [InlineData("compresskv:share=50")]
    [InlineData("h2o:share=50")]
    [InlineData("kvzip:share=50")]
    [InlineData("kvzip:share=80+kivi-4:recent=16", 0.2, 0.5)]
    [InlineData("compresskv:share=80+deltakv:recent=16", 0.1, 0.4)]
    public void Questions_continue_from_the_context_as_it_was_kept(string method, double least = 0.3, double most = 0.75)
    {
        using var target = Open(method, 4);
        var documents = new EvaluationDocuments(
            new EvaluationPlan { Methods = [method], Tasks = ["attr"], Lengths = [Length], Questions = 3, QuestionsPerDocument = 3 }, target.Tokenizer);
        var document = documents.Of("attr", Length)[0];
        using var context = target.Start(document.Context);
        var turns = document.Questions.Select(question => new EvaluationTurn([.. question.Turn], question.MaximumTokens)).ToArray();
        var together = context.AskEach(turns);
        Assert.All(together, answer =>
        {
            Assert.InRange((double)answer.KvBytes / answer.FullKvBytes, least, most);
            Assert.True(answer.PeakKvBytes > answer.KvBytes);
        });
        // Again, one after another, from the same memory.
        foreach (var (turn, answer) in turns.Zip(together))
            Assert.Equal(answer.Tokens, context.Ask(turn.Tokens, turn.MaximumTokens, keep: false).Tokens);
    }

    /// <summary>The question is in the prompt: its last queries look for the answer, and find it in a quarter of the memory.</summary>
    [Theory]
    [InlineData("snapkv:share=25,window=16")]
    [InlineData("compresskv:share=25")]
    [InlineData("snapkv:share=40,window=16+kivi-8")]
    [InlineData("compresskv:share=40+deltakv")]
    public void A_method_finds_what_the_prompt_asks_for(string method)
    {
        using var target = Open(method, 1, prefixCaching: false);
        var documents = new EvaluationDocuments(
            new EvaluationPlan { Methods = [method], Tasks = ["attr"], Lengths = [Length], Questions = 2, QuestionsPerDocument = 2 }, target.Tokenizer);
        var document = documents.Of("attr", Length)[0];
        foreach (var question in document.Questions)
        {
            using var context = target.Start([]);
            var answer = context.Ask([.. document.Context, .. question.Turn], question.MaximumTokens, keep: false);
            Assert.Equal(question.References[0], target.Tokenizer.Decode(answer.Tokens).Trim());
        }
    }

    private static DeviceTarget Open(string method, int sequences, bool prefixCaching = true) => new(
        TestModels.Needle,
        new EngineOptions
        {
            Device = ComputeDevice.Cpu, MaxSequences = sequences, MaxModelLength = Length + 600, MaxBatchTokens = 256, KvMethod = method, PrefixCaching = prefixCaching,
        });
}
