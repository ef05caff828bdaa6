using System.Numerics.Tensors;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Inspection;

/// <summary>Gathers what one layer's keys and values are like, document by document.</summary>
internal sealed class LayerInspector
{
    private const int SampledRows = 768;
    private const int ShownAxes = 256;
    private const double Error = 0.01;

    private readonly AttentionGeometry geometry;
    private readonly CodedKvOptions options;
    private readonly int neighbours;
    private readonly ChannelStatistics keys;
    private readonly ChannelStatistics rotated;
    private readonly ChannelStatistics values;
    private readonly WeightedReservoir rows;
    private readonly WeightedReservoir residuals;
    private readonly List<float> keyNorms = [];
    private readonly List<float> valueNorms = [];
    private readonly List<float> toMean = [];
    private readonly List<float> toNearest = [];
    private readonly List<float> toReferences = [];

    /// <param name="geometry">The layer.</param>
    /// <param name="options">Sinks, and how dense references are.</param>
    /// <param name="neighbours">Nearest references whose mean is taken.</param>
    /// <param name="random">Chooses the rows that spectra are of.</param>
    public LayerInspector(AttentionGeometry geometry, CodedKvOptions options, int neighbours, SeededRandom random)
    {
        (this.geometry, this.options, this.neighbours) = (geometry, options, neighbours);
        var half = geometry.Width / 2;
        (keys, rotated, values) = (new ChannelStatistics(half), new ChannelStatistics(half), new ChannelStatistics(half));
        (rows, residuals) = (new WeightedReservoir(SampledRows, random), new WeightedReservoir(SampledRows, random));
    }

    /// <summary>Adds a document's kv before RoPE, <c>[tokens, Width]</c>.</summary>
    public void Add(ReadOnlySpan<float> document)
    {
        var (width, half) = (geometry.Width, geometry.Width / 2);
        var tokens = document.Length / width;
        var turned = new float[half];
        for (var token = 0; token < tokens; token++)
        {
            var row = document.Slice(token * width, width);
            keys.Add(row[..half]);
            values.Add(row[half..]);
            row[..half].CopyTo(turned);
            for (var head = 0; head < geometry.KvHeads; head++)
            {
                var place = head * geometry.HeadDim;
                geometry.Rotate(turned.AsSpan(place, geometry.HeadDim), token);
                keyNorms.Add(TensorPrimitives.Norm(row.Slice(place, geometry.HeadDim)));
                valueNorms.Add(TensorPrimitives.Norm(row.Slice(half + place, geometry.HeadDim)));
            }

            rotated.Add(turned);
        }

        AddDistances(document);
    }

    /// <summary>What was gathered.</summary>
    public LayerInspection Finish(int layer)
    {
        var (whole, left) = (Spectrum.Of([.. rows.Rows]), Spectrum.Of([.. residuals.Rows]));
        var error = Error * whole.Total;
        return new LayerInspection
        {
            Layer = layer,
            KeyNorm = Spread.Of(keyNorms),
            ValueNorm = Spread.Of(valueNorms),
            Keys = keys.Summary(),
            RotatedKeys = rotated.Summary(),
            Values = values.Summary(),
            Spectrum = Shares(whole, whole.Total),
            EffectiveRank = Math.Round(whole.EffectiveRank, 2),
            Axes90 = whole.AxesFor(0.9),
            Axes99 = whole.AxesFor(0.99),
            ResidualSpectrum = Shares(left, whole.Total),
            ResidualEffectiveRank = Math.Round(left.EffectiveRank, 2),
            DistanceToMean = Spread.Of(toMean),
            DistanceToNearest = Spread.Of(toNearest),
            DistanceToReferences = Spread.Of(toReferences),
            Bits = Math.Round(whole.Bits(error), 1),
            ResidualBits = Math.Round(left.Bits(error), 1),
        };
    }

    private void AddDistances(ReadOnlySpan<float> document)
    {
        var width = geometry.Width;
        var mean = new float[width];
        var tokens = document.Length / width;
        for (var token = 0; token < tokens; token++)
            TensorPrimitives.MultiplyAdd(document.Slice(token * width, width), 1f / tokens, mean, mean);
        var ofAll = ResidualRows.Of(document, width, geometry.HeadDim, options, neighbours);
        var ofNearest = ResidualRows.Of(document, width, geometry.HeadDim, options, 1);
        for (var token = options.Sinks; token < tokens; token++)
        {
            var row = document.Slice(token * width, width);
            rows.Add(row, 1);
            // A reference is kept as it is: nothing is coded of it.
            if ((token - options.Sinks) % options.ReferenceStride == 0)
                continue;
            residuals.Add(ofAll.AsSpan(token * width, width), 1);
            toMean.Add(TensorPrimitives.Distance(row, mean));
            toNearest.Add(TensorPrimitives.Norm<float>(ofNearest.AsSpan(token * width, width)));
            toReferences.Add(TensorPrimitives.Norm<float>(ofAll.AsSpan(token * width, width)));
        }
    }

    private static double[] Shares(Spectrum spectrum, double total) =>
        [.. spectrum.Variances.Take(ShownAxes).Select(v => total > 0 ? Math.Round(v / total, 8) : 0)];
}
