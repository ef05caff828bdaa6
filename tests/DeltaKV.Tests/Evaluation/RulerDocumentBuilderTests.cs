using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Ruler;

namespace DeltaKV.Tests.Evaluation;

public sealed class RulerDocumentBuilderTests
{
    public static TheoryData<string> Tasks() => [.. RulerTask.Names];

    [Theory]
    [MemberData(nameof(Tasks))]
    public void ADocumentFillsMostOfItsLengthAndHoldsItsAnswers(string task)
    {
        const int length = 4096;
        var tokenizer = new WordTokenizer();
        var document = new RulerDocumentBuilder(tokenizer).Build(task, () => new SeededRandom(5, task), length);

        var longest = document.Conversation
            ? document.Context.Length + document.Questions.Sum(q => q.Turn.Length + q.MaximumTokens)
            : document.Questions.Max(q => document.Context.Length + q.Turn.Length + q.MaximumTokens);
        Assert.InRange(longest, length * 3 / 4, length);
        var context = tokenizer.Decode(document.Context);
        Assert.All(document.Questions, q => Assert.All(q.References, r => Assert.Contains(r, context, StringComparison.Ordinal)));
        Assert.All(document.Questions, q => Assert.Equal(1, q.Score("It is " + string.Join(" and ", q.References).ToUpperInvariant())));
        Assert.All(document.Questions, q => Assert.Equal(0, q.Score("I do not know.")));
        Assert.Equal(task is "vt" or "cwe" or "fwe" or "niah-multivalue" or "niah-multiquery", document.Questions[0].Evidence is null);
        Assert.All(document.Questions.Where(q => q.Evidence is not null), q =>
            Assert.Contains(q.References[0], tokenizer.Decode(document.Context[q.Evidence!.Value]), StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Tasks))]
    public void ALengthTooShortIsRefused(string task) => Assert.Throws<EvaluationException>(
        () => new RulerDocumentBuilder(new WordTokenizer()).Build(task, () => new SeededRandom(5, task), 40));

    [Fact]
    public void PartOfTheReferencesCountsInPart() =>
        Assert.Equal(0.5, new EvaluationQuestion([], [], ["alpha", "beta"], Exact: false, 8).Score("ALPHA, gamma"));
}
