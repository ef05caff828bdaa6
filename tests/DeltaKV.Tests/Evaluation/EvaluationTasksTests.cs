using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Ruler;

namespace DeltaKV.Tests.Evaluation;

public sealed class EvaluationTasksTests
{
    [Theory]
    [InlineData("attr, walk,attr", "attr", "walk")]
    [InlineData("niah-single", "niah-single-noise", "niah-single-essay")]
    [InlineData("vt,niah-multikey", "vt", "niah-multikey-essay", "niah-multikey-needles")]
    [InlineData("poetry", "poetry")]
    public void NamesStandForTasks(string list, params string[] tasks) => Assert.Equal(tasks, EvaluationTasks.Parse(list));

    [Fact]
    public void GroupsHoldAllOfTheirKind()
    {
        Assert.Equal(13, RulerTask.Names.Count);
        Assert.Equal(RulerTask.Names, EvaluationTasks.Parse("ruler"));
        Assert.Equal(EvaluationPlan.KnownTasks, EvaluationTasks.Parse("notes,ruler"));
        Assert.Equal(6, EvaluationTasks.Parse("niah").Count);
    }
}
