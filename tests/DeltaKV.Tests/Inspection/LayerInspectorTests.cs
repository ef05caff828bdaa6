using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Inspection;

namespace DeltaKV.Tests.Inspection;

public sealed class LayerInspectorTests
{
    private const int Dim = 4;
    private const int Width = 4 * Dim;

    private static readonly AttentionGeometry Geometry = new(4, 2, Dim, 8, [0.5f, 0.01f], new float[8 * 4 * Dim]);

    [Fact]
    public void TokensLikeTheirReferencesLeaveNothingToCode()
    {
        // Five kinds of tokens in turn; every tenth is a reference, so that all references after the sinks are of one kind.
        var random = new SeededRandom(3);
        var kinds = Enumerable.Range(0, 5).Select(_ => Enumerable.Range(0, Width).Select(_ => (float)random.NextNormal()).ToArray()).ToArray();
        var own = Inspect([.. Enumerable.Repeat(0, 200).SelectMany(_ => kinds[0])]);
        Assert.Equal(0, own.DistanceToReferences.Mean, 1e-4);
        Assert.Equal(0, own.DistanceToMean.Mean, 1e-3);

        var mixed = Inspect([.. Enumerable.Range(0, 200).SelectMany(token => kinds[token % 5])]);
        Assert.True(mixed.DistanceToNearest.Low < 1e-4 && mixed.DistanceToNearest.High > 1);
        Assert.True(mixed.DistanceToMean.Low > 0.5);
        Assert.InRange(mixed.EffectiveRank, 2, 4.001);
    }

    [Fact]
    public void RopeTurnsKeysAndLeavesTheirLengthsAndValues()
    {
        var random = new SeededRandom(4);
        var rows = Enumerable.Range(0, 100 * Width).Select(i => (float)random.NextNormal() * (i % Width == 1 || i % Width == 2 * Dim ? 20 : 1)).ToArray();
        var layer = Inspect(rows);

        Assert.Equal([1], layer.Keys.Outliers);
        Assert.Equal([0], layer.Values.Outliers);
        Assert.NotEqual(layer.Keys.Rms, layer.RotatedKeys.Rms);
        Assert.Equal(layer.Keys.Rms.Sum(v => v * v), layer.RotatedKeys.Rms.Sum(v => v * v), 0.1);
        Assert.Equal(rows.Where((_, i) => i % Width == 1).Max(), layer.Keys.Greatest[1], 1e-3);
        Assert.True(layer.KeyNorm.Low < layer.KeyNorm.Mean && layer.KeyNorm.Mean < layer.KeyNorm.High);
    }

    private static LayerInspection Inspect(float[] rows)
    {
        var inspector = new LayerInspector(Geometry, new CodedKvOptions(), 4, new SeededRandom(1));
        inspector.Add(rows);
        return inspector.Finish(0);
    }
}
