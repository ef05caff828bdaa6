using DeltaKV.Compression.CompressKv;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Evaluation;

namespace DeltaKV.Tests.Compression.CompressKv;

public sealed class RetrievalCorpusTests
{
    private static readonly RetrievalCorpus Corpus = new()
    {
        Kinds = [.. RetrievalCorpus.NoteKinds, .. RetrievalCorpus.NeedleKinds], Lengths = [1024, 2048], Depths = [0.2, 0.8],
    };

    [Fact]
    public void EveryNeedleHoldsItsAnswerAboutWhereItShould()
    {
        var tokenizer = new WordTokenizer();
        var prompts = Corpus.Prompts(tokenizer).ToArray();

        Assert.Equal(Corpus.Count, prompts.Length);
        for (var i = 0; i < prompts.Length; i++)
        {
            var prompt = prompts[i];
            Assert.InRange(prompt.Tokens.Length, 500, 2048);
            // A walk's answer is spread over several notes; its needle is the first step.
            if (!prompt.Name.StartsWith("walk", StringComparison.Ordinal))
                Assert.Contains(prompt.Answer, tokenizer.Decode(prompt.Tokens[prompt.Needle]), StringComparison.Ordinal);
            var depth = prompt.Needle.Start.Value / (double)prompt.Tokens.Length;
            Assert.True(Math.Abs(depth - Corpus.Depths[i % 2]) < 0.25, $"{prompt.Name}: the needle is at {depth:F2}.");
        }
    }

    [Fact]
    public void NothingOfItIsInAnEvaluation()
    {
        var tokenizer = new WordTokenizer();
        var plan = new EvaluationPlan { Methods = ["full"], Tasks = ["attr"], Lengths = [1024], Questions = 20, Seed = Corpus.Seed };
        var evaluated = new EvaluationDocuments(plan, tokenizer).Of("attr", 1024).Select(d => tokenizer.Decode(d.Context)).ToArray();
        foreach (var prompt in Corpus.Prompts(tokenizer))
        {
            var text = tokenizer.Decode(prompt.Tokens);
            Assert.DoesNotContain(FillerText.Evaluation, paragraph => text.Contains(paragraph, StringComparison.Ordinal));
            Assert.DoesNotContain(evaluated, document => document.Contains(tokenizer.Decode(prompt.Tokens[prompt.Needle]), StringComparison.Ordinal));
        }
    }

    [Fact]
    public void PromptsFollowFromTheSeed()
    {
        int[][] Tokens(long seed) => [.. (Corpus with { Seed = seed }).Prompts(new WordTokenizer()).Select(p => p.Tokens)];
        Assert.Equal(Tokens(3), Tokens(3));
        Assert.NotEqual(Tokens(3), Tokens(4));
    }

    [Fact]
    public void AnUnknownKindIsRefusedWithTheKnownOnes()
    {
        var error = Assert.Throws<EvaluationException>(() => (Corpus with { Kinds = ["riddle"] }).Prompts(new WordTokenizer()).Count());
        Assert.Contains("riddle", error.Message, StringComparison.Ordinal);
        Assert.Contains("niah-essay", error.Message, StringComparison.Ordinal);
    }
}
