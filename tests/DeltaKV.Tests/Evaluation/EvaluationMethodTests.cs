using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Evaluation;

public sealed class EvaluationMethodTests
{
    [Theory]
    [InlineData("full", "full", "full")]
    [InlineData("int4:recent=64,sinks=16", "int4:recent=64,sinks=16", "int4:recent=64,sinks=16")]
    [InlineData("safe=int4", "safe", "int4")]
    [InlineData("6 %=deltakv:codec=a=b.safetensors", "6 %", "deltakv:codec=a=b.safetensors")]
    public void ALabelStandsBeforeTheFirstEqualsSign(string text, string name, string specification) =>
        Assert.Equal(new EvaluationMethod(name, specification), EvaluationMethod.Parse(text));

    [Fact]
    public void TheCellIsFilledIn()
    {
        var method = EvaluationMethod.Parse("out=deltakv:codec=no-{task}.safetensors,top={length}");
        Assert.Equal("deltakv:codec=no-walk.safetensors,top=4096", method.For("walk", 4096));
        Assert.False(method.IsSameForAllTasks);
        Assert.True(EvaluationMethod.Parse("streaming-llm:budget={length}").IsSameForAllTasks);
    }
}
