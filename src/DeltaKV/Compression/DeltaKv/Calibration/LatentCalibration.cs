using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>The paper's shape of codec, solved in closed form: a fixed number of latent dimensions, quantised together.</summary>
/// <remarks>
/// The latents are the leading coordinates of <see cref="WeightedKlt"/>, in the metric's own units: a chunk's dimensions share one step, and
/// the same error costs the same in each of them. Without a metric this is plain PCA. Coordinates fall in variance, so that the largest of a chunk would make the step too
/// coarse for the others: the latents are their Hadamard transform within a chunk, which are alike and take a finer step for the same error.
/// </remarks>
internal sealed record LatentCalibration
{
    /// <summary>The choices; latents fill whole chunks of <see cref="CodecPlan.LatentWidth"/>.</summary>
    public required CodecPlan Plan { get; init; }

    /// <summary>What heads keep; null: all are coded.</summary>
    public HeadTable? Heads { get; init; }

    private int Dimensions => Plan.Latents;

    private ChunkWidth Width => Plan.LatentWidth;

    /// <summary>References subtracted from each token, which needs statistics of residuals. 0: the mean is subtracted.</summary>
    private int Neighbours => Plan.References == ReferenceUse.None ? 0 : Plan.Neighbours;

    /// <summary>Codecs for the layers in <paramref name="statistics"/>; null entries stay null.</summary>
    public LinearCodec?[] Solve(IReadOnlyList<LayerStatistics?> statistics)
    {
        var codecs = new LinearCodec?[statistics.Count];
        Parallel.For(0, statistics.Count, layer => codecs[layer] = statistics[layer] is { } one ? Solve(one, Heads?.Layers[layer]) : null);
        return codecs;
    }

    private LinearCodec Solve(LayerStatistics statistics, ImmutableArray<HeadTreatment>? heads)
    {
        var transform = WeightedKlt.Solve(statistics, Plan.Ridge, Plan.TokenWeighting, Plan.Metric, Neighbours > 0, heads is { } others ? HeadTable.Apart(others) : 0);
        // One factor for the whole layer: steps are halves, so coordinates must be of ordinary size.
        var unit = Math.Sqrt(Math.Max(UniformQuantizer.ErrorOfNothing(transform.Coordinates[0], transform.Weights), 1e-300));
        var width = statistics.Geometry.Width;
        var codec = new LinearCodec
        {
            KeyHeads = statistics.Geometry.KvHeads,
            HeadDim = statistics.Geometry.HeadDim,
            Groups = [new CodeGroup(
                0, width, [.. Enumerable.Repeat(Width, Dimensions / CodeGroup.DimensionsOf(Width))],
                Mixed(transform.Encoder, 1 / unit, width), Mixed(transform.Decoder, unit, width))],
            Mean = Array.ConvertAll(transform.Mean, value => (float)value),
            Scales = CodeScales.PerChunk,
            Neighbours = Neighbours,
        };
        return heads is { } row ? HeadTable.Apply(row, codec) : codec;
    }

    /// <summary>The leading rows, those of a chunk mixed, as the halves that kernels hold.</summary>
    private float[] Mixed(double[][] rows, double factor, int width)
    {
        var perChunk = CodeGroup.DimensionsOf(Width);
        var scale = factor / Math.Sqrt(perChunk);
        var result = new float[Dimensions * width];
        var sums = new double[width];
        for (var i = 0; i < Dimensions; i++)
        {
            var first = i / perChunk * perChunk;
            Array.Clear(sums);
            for (var k = first; k < Math.Min(first + perChunk, rows.Length); k++)
            {
                var sign = BitOperations.PopCount((uint)(i & k & (perChunk - 1))) % 2 == 0 ? scale : -scale;
                TensorPrimitives.MultiplyAdd<double>(rows[k], sign, sums, sums);
            }

            for (var j = 0; j < width; j++)
                result[(i * width) + j] = (float)(Half)sums[j];
        }

        return result;
    }
}
