using DeltaKV.Cache;

namespace DeltaKV.Tests.Cache;

public sealed class LruListTests
{
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void AgreesWithAListUnderRandomOperations(int seed)
    {
        const int Capacity = 9;
        var random = new Random(seed);
        var list = new LruList(Capacity);
        var model = new List<int>();
        for (var step = 0; step < 2000; step++)
        {
            var block = random.Next(Capacity);
            if (random.Next(4) == 0 && model.Count > 0)
            {
                Assert.Equal(model[0], list.RemoveOldest());
                model.RemoveAt(0);
            }
            else if (model.Remove(block))
            {
                list.Remove(block);
            }
            else
            {
                list.AddNewest(block);
                model.Add(block);
            }
            Assert.Equal(model.Count, list.Count);
        }
        while (model.Count > 0)
        {
            Assert.Equal(model[0], list.RemoveOldest());
            model.RemoveAt(0);
        }
        Assert.Throws<InvalidOperationException>(() => list.RemoveOldest());
    }
}
