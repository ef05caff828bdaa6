using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;

namespace DeltaKV.Tests.Evaluation;

public sealed class NoteDocumentBuilderTests
{
    public static TheoryData<string, int> Cases()
    {
        var cases = new TheoryData<string, int>();
        foreach (var family in NoteFamily.Names)
        {
            foreach (var length in new[] { 512, 2048, 4096 })
                cases.Add(family, length);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void TheLongestQuestionFillsTheLengthExactly(string family, int length)
    {
        var tokenizer = new WordTokenizer();
        var document = new NoteDocumentBuilder(tokenizer, FillerText.Evaluation).Build(family, new SeededRandom(3), length, 8);

        var totals = document.Questions.Select(q => document.Context.Length + q.Turn.Length + tokenizer.Encode(q.References[0]).Length + 1).ToArray();
        Assert.Equal(length, totals.Max());
        Assert.InRange(document.Questions.Count, 1, 8);
        Assert.All(document.Questions, q => Assert.True(q.Prompt.Length <= length));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void TheFrameIsTheModelsChat(string family, int length)
    {
        var tokenizer = new WordTokenizer();
        var document = new NoteDocumentBuilder(tokenizer, FillerText.Evaluation).Build(family, new SeededRandom(4), length, 3);

        var context = tokenizer.DecodeWithMarkers(document.Context);
        Assert.StartsWith("<|bos|><|user|>Read these notes.\n", context, StringComparison.Ordinal);
        Assert.EndsWith("<|end|><|assistant|>Noted.<|end|><|user|>", context, StringComparison.Ordinal);
        Assert.All(document.Questions, q => Assert.EndsWith("<|end|><|assistant|>", tokenizer.DecodeWithMarkers(q.Prompt), StringComparison.Ordinal));
        Assert.All(document.Questions, q => Assert.DoesNotContain("Noted.", tokenizer.DecodeWithMarkers(q.Prompt), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("attr")]
    [InlineData("json")]
    [InlineData("copy")]
    public void TheEvidenceIsTheNoteThatHoldsTheAnswer(string family)
    {
        var tokenizer = new WordTokenizer();
        var document = new NoteDocumentBuilder(tokenizer, FillerText.Evaluation).Build(family, new SeededRandom(6), 1024, 8);

        Assert.All(document.Questions, q =>
        {
            foreach (var tokens in new[] { document.Context, q.Prompt })
                Assert.Contains(q.References[0], tokenizer.Decode(tokens[q.Evidence!.Value]), StringComparison.Ordinal);
            Assert.InRange(document.Depth(q)!.Value, 0, 1);
        });
    }

    [Fact]
    public void TheSameSeedGivesTheSameDocumentAndAnotherSeedAnother()
    {
        int[] Context(long seed) => new NoteDocumentBuilder(new WordTokenizer(), FillerText.Evaluation)
            .Build("attr", new SeededRandom(seed, "evaluation", "attr", 1024, 0), 1024, 4).Context;

        Assert.Equal(Context(7), Context(7));
        Assert.NotEqual(Context(7), Context(8));
    }

    [Fact]
    public void ALengthThatHoldsNothingIsRefused()
    {
        var builder = new NoteDocumentBuilder(new WordTokenizer(), FillerText.Evaluation);
        var error = Assert.Throws<EvaluationException>(() => builder.Build("walk", new SeededRandom(1), 60, 4));
        Assert.Contains("walk", error.Message, StringComparison.Ordinal);
    }
}
