namespace DeltaKV.Tests.Reference;

public sealed class ReferencePlanTests
{
    [Fact]
    public void OnlyEarlierReferencesCountAndNearerComeFirst()
    {
        float[] references = [0, 0, 10, 0, 3, 0, 1, 0];
        Assert.Equal([2, 0], ReferencePlan.Nearest([2.5f, 0], 20, references, [0, 10, 20, 30], 2));
        Assert.Equal([3, 2, 0], ReferencePlan.Nearest([1.6f, 0], 30, references, [0, 10, 20, 30], 3));
        Assert.Equal([0], ReferencePlan.Nearest([1, 0], 5, references, [0, 10, 20, 30], 4));
    }

    [Fact]
    public void EqualDistancesPreferTheEarlierReference() =>
        Assert.Equal([0, 1], ReferencePlan.Nearest([0f], 9, [1f, -1f, 1f], [0, 1, 2], 2));

    [Fact]
    public void TheMeanIsOfTheChosen() => Assert.Equal([2f, 3f], ReferencePlan.Mean([1, 2, 9, 9, 3, 4], [0, 2], 2));

    [Fact]
    public void TheFirstOfEveryStrideIsAReference() =>
        Assert.Equal([0, 10, 20], Enumerable.Range(0, 30).Where(i => ReferencePlan.IsReference(i, 10)));
}
