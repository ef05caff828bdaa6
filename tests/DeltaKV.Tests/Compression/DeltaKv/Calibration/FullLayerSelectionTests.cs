using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class FullLayerSelectionTests
{
    [Fact]
    public void NoOtherSetOfLayersServesTheRestBetter()
    {
        for (var trial = 0; trial < 60; trial++)
        {
            var random = new SeededRandom(trial, "layers");
            var layers = random.Next(1, 10);
            var full = random.Next(1, layers + 1);
            var overlap = Enumerable.Range(0, layers * layers).Select(_ => random.NextDouble()).ToArray();
            var found = FullLayerSelection.Select(overlap, layers, full);

            Assert.True(found.Length == full && found[0] == 0, $"seed {trial}");
            var best = Subsets(layers, full).Max(set => Value(overlap, layers, set));
            Assert.Equal(best, Value(overlap, layers, found), 1e-9);
        }
    }

    [Fact]
    public void AsManyLayersAreFullAsTheOthersNeed()
    {
        // Layer 2 foretells layers 3 and 4; nothing else foretells anything, and layer 1 wants nothing.
        var overlap = new double[25];
        foreach (var layer in (int[])[0, 2, 3, 4])
            overlap[(layer * 5) + layer] = 1;
        (overlap[2 * 5 + 3], overlap[2 * 5 + 4]) = (1, 0.99);
        Assert.Equal(2, FullLayerSelection.Count(overlap, 5));
        Assert.Equal([0, 2], FullLayerSelection.Select(overlap, 5, 2));
        (overlap[2 * 5 + 3], overlap[2 * 5 + 4]) = (0, 0);
        Assert.Equal(4, FullLayerSelection.Count(overlap, 5));
    }

    [Fact]
    public void ObserversAreFullLayersBeforeSparseOnes() =>
        Assert.Equal([2, 8, 18], FullLayerSelection.Observers([0, 1, 2, 8, 18], 32));

    [Fact]
    public void TheLastLayerObservesForNobody() => Assert.Equal([0], FullLayerSelection.Observers([0, 3], 4));

    private static double Value(double[] overlap, int layers, int[] full) =>
        Enumerable.Range(0, layers).Sum(l => overlap[full.Last(f => f <= l) * layers + l]);

    private static IEnumerable<int[]> Subsets(int layers, int full) => Enumerable.Range(0, 1 << layers)
        .Select(bits => Enumerable.Range(0, layers).Where(l => (bits >> l & 1) == 1).ToArray())
        .Where(set => set.Length == full && set.Contains(0));
}
