using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class LayerOverlapTests
{
    private const int Dim = 16;
    private const int Tokens = 400;

    [Fact]
    public void ALayerThatLooksWhereAnotherDoesSeesThroughIt()
    {
        // Layers 0 and 1 look at the same two tokens, layer 2 at another, layer 3 at a sink only.
        var overlap = new LayerOverlap(4);
        var geometry = new AttentionGeometry(1, 1, Dim, 8, new float[Dim / 2], new float[8 * Dim]);
        int[][] targets = [[100, 200], [100, 200], [300], [3]];
        for (var layer = 0; layer < 4; layer++)
        {
            var random = new SeededRandom(5, layer);
            var query = Enumerable.Range(0, Dim).Select(_ => (float)random.NextNormal()).ToArray();
            var rows = new float[Tokens * 2 * Dim];
            foreach (var token in targets[layer])
                Enumerable.Range(0, Dim).ToList().ForEach(i => rows[token * 2 * Dim + i] = 10 * query[i]);
            overlap.Add(layer, geometry, rows, query, [Tokens - 1]);
        }

        overlap.EndDocument();
        var mean = overlap.Mean();
        double Seen(int observer, int follower) => mean[observer * 4 + follower];
        Assert.Equal(Seen(1, 1), Seen(0, 1), 1e-6);
        Assert.InRange(Seen(0, 2), 0, 0.01);
        Assert.Equal(1, Seen(2, 2), 1e-6);
        // Two tokens of half the probability each have half the stake of one that has it all.
        Assert.Equal(Math.Sqrt(0.5), Seen(1, 1), 0.05);
        Assert.Equal(1, overlap.Shares()[1], 1e-6);
        // What is raw in any case does not count.
        Assert.InRange(Seen(3, 3), 0, 0.01);
    }
}
