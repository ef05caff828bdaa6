using System.Collections.Immutable;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Choices of the weighted transform's calibration; the defaults are what held up on held-out kinds of documents.</summary>
internal sealed record KltCalibration
{
    /// <summary>Bytes of codes per token over all coded layers.</summary>
    public required int BytesPerToken { get; init; }

    /// <summary>See <see cref="WeightedKlt.Solve"/>.</summary>
    public double Ridge { get; init; } = 0.1;

    /// <summary>See <see cref="WeightedKlt.Solve"/>.</summary>
    public double TokenWeighting { get; init; } = 0.9;

    /// <summary>See <see cref="UniformQuantizer.Fit"/>.</summary>
    public double Headroom { get; init; } = 1.25;

    /// <summary>References subtracted from each token; then the statistics must be those of residuals. 0: the mean is subtracted.</summary>
    public int Neighbours { get; init; }

    /// <summary>Codecs for the layers in <paramref name="statistics"/>; null entries (layers that need none) stay null.</summary>
    /// <param name="statistics">One per layer.</param>
    /// <param name="layerWeights">How much a unit of error in each layer matters; empty means alike.</param>
    public LinearCodec?[] Solve(IReadOnlyList<LayerStatistics?> statistics, ReadOnlySpan<double> layerWeights = default) =>
        Quantize(statistics, Transforms(statistics), layerWeights);

    /// <summary>The transforms alone, to be quantised for several budgets.</summary>
    public LayerTransform?[] Transforms(IReadOnlyList<LayerStatistics?> statistics)
    {
        var transforms = new LayerTransform?[statistics.Count];
        Parallel.For(0, statistics.Count, i =>
            transforms[i] = statistics[i] is { } layer ? WeightedKlt.Solve(layer, Ridge, TokenWeighting, Neighbours == 0) : null);
        return transforms;
    }

    /// <summary>Chooses widths and steps for solved transforms.</summary>
    public LinearCodec?[] Quantize(
        IReadOnlyList<LayerStatistics?> statistics, IReadOnlyList<LayerTransform?> transforms, ReadOnlySpan<double> layerWeights = default)
    {
        var weights = layerWeights.ToArray();
        var rates = new DimensionRate[transforms.Count][];
        Parallel.For(0, transforms.Count, i => rates[i] = Rates(transforms[i], weights.Length > 0 ? weights[i] : 1));
        var chunks = ChunkAllocator.Allocate(rates, BytesPerToken);
        return [.. transforms.Select((t, i) => t is null ? null : Codec(t, statistics[i]!.Geometry, chunks[i], rates[i]))];
    }

    private DimensionRate[] Rates(LayerTransform? transform, double layerWeight)
    {
        if (transform is null)
            return [];
        return [.. transform.Coordinates.Select(samples =>
        {
            QuantizerFit Fit(ChunkWidth width)
            {
                var fit = UniformQuantizer.Fit(samples, transform.Weights, width, Headroom);
                return fit with { Error = layerWeight * fit.Error };
            }

            return new DimensionRate(
                layerWeight * UniformQuantizer.ErrorOfNothing(samples, transform.Weights),
                Fit(ChunkWidth.Bits2), Fit(ChunkWidth.Bits4), Fit(ChunkWidth.Bits8));
        })];
    }

    private LinearCodec Codec(LayerTransform transform, AttentionGeometry geometry, ImmutableArray<ChunkWidth> chunks, DimensionRate[] rates)
    {
        var width = geometry.Width;
        var widths = chunks.SelectMany(chunk => Enumerable.Repeat(chunk, CodeGroup.DimensionsOf(chunk))).ToArray();
        var down = new float[widths.Length * width];
        var up = new float[down.Length];
        for (var i = 0; i < Math.Min(widths.Length, rates.Length); i++)
        {
            var step = rates[i].At(widths[i]).Step;
            for (var j = 0; j < width; j++)
            {
                // Kernels hold the matrices as halves; what is calibrated is what runs.
                down[i * width + j] = (float)(Half)(transform.Encoder[i][j] / step);
                up[i * width + j] = (float)(Half)(transform.Decoder[i][j] * step);
            }
        }

        return new LinearCodec
        {
            KeyHeads = geometry.KvHeads,
            HeadDim = geometry.HeadDim,
            Groups = [new CodeGroup(0, width, chunks, down, up)],
            Mean = Array.ConvertAll(transform.Mean, value => (float)value),
            Neighbours = Neighbours,
        };
    }
}
