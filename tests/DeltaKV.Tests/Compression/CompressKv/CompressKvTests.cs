using DeltaKV.Compression.CompressKv;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Compression.CompressKv;

public sealed class CompressKvTests
{
    [Theory]
    [InlineData("The code is 48213.", "48213", 1.0)]
    [InlineData("the THE", "the the the fox", 0.5)]
    [InlineData("nothing", "48213", 0.0)]
    [InlineData("", "", 1.0)]
    public void RecallCountsWordsWithRepetition(string answer, string reference, double recall) =>
        Assert.Equal(recall, Rouge.Recall(answer, reference));

    [Fact]
    public void OnlyTokensOfTheSpanCountAndTheWholeSpansMassDoes()
    {
        string[] texts = ["the", " code", " is", " 48", "213", " ", "48", "."];
        Assert.Equal([true, true, false, false, true], SemanticRetrievalHeads.Counted([6, 4, 7, 5, 3], [1, 2, 3, 4, 5], token => texts[token]));
        Assert.Equal(0.65, SemanticRetrievalHeads.SpanMass(1..4, [0.1f, 0.2f, 0.3f, 0.15f, 0.05f, 0.2f]), 1e-6);
    }

    [Fact]
    public void WrongAnswersTeachNothingAndTheBestHeadsComeFirst()
    {
        var heads = new SemanticRetrievalHeads(2, 3);
        Assert.True(heads.Add("it is 1 2 3", "1 2 3", [0.1, 0.5, 0.2, 0.9, 0.0, 0.3]));
        Assert.True(heads.Add("1 2", "1 2 3", [0.1, 0.3, 0.6, 0.7, 0.0, 0.1]));
        Assert.False(heads.Add("no idea", "1 2 3", [9, 9, 9, 9, 9, 9]));
        Assert.Equal(2, heads.Runs);
        Assert.Equal(0.4, heads.Score(0, 1), 1e-12);
        int[][] expected = [[1, 2], [0, 2]];
        Assert.Equal(expected, heads.Top(2));
    }

    [Fact]
    public void BudgetsFollowTheFormulaWhereNothingIsClipped()
    {
        // m + round(e (B_total - L m)) with B_total = 400, m = 32: 32 + e * 272.
        Assert.Equal([32 + 109, 32 + 82, 32 + 54, 32 + 27], LayerBudgets.Distribute([4, 3, 2, 1], 100));
    }

    [Fact]
    public void BudgetsAddUpWithinTheirBoundsWhateverTheErrors()
    {
        for (var trial = 0; trial < 300; trial++)
        {
            var random = new SeededRandom(trial, "budgets");
            var errors = Enumerable.Range(0, random.Next(1, 40)).Select(_ => Math.Exp(3 * random.NextNormal())).ToArray();
            var perLayer = random.Next(32, 600);
            var budgets = LayerBudgets.Distribute(errors, perLayer);
            Assert.True(budgets.Sum() == perLayer * errors.Length, $"seed {trial}: {budgets.Sum()} tokens instead of {perLayer * errors.Length}");
            Assert.All(budgets, b => Assert.InRange(b, 32, 3 * perLayer));
        }
    }

    [Fact]
    public void RelativeErrorIsTheFrobeniusRatio()
    {
        Assert.Equal(5.0 / 13, LayerBudgets.RelativeError([8, 16], [5, 12]), 1e-6);
        Assert.Equal(0, LayerBudgets.RelativeError([5, 12], [5, 12]));
    }
}
