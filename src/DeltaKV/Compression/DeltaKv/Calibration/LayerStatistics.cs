using DeltaKV.Evaluation;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Everything calibration remembers of one layer: what kv looks like, what matters of it, and which tokens matter.</summary>
/// <remarks>Feed it document by document. Memory: three <c>Width x Width</c> double matrices and two reservoirs of rows.</remarks>
internal sealed class LayerStatistics
{
    private const int ReservoirRows = 1536;
    private const double LargestTokenWeight = 50;

    private readonly AttentionSensitivity _sensitivity;
    private readonly SecondMoments _plain;
    private readonly SecondMoments _weighted;
    private readonly WeightedReservoir _plainRows;
    private readonly WeightedReservoir _weightedRows;
    private readonly int _sinks;
    private readonly int _plainStride;

    /// <summary>Statistics of one layer.</summary>
    /// <param name="geometry">The layer's attention.</param>
    /// <param name="random">Chooses the rows to keep.</param>
    /// <param name="sinks">First tokens that stay raw.</param>
    /// <param name="recent">Newest tokens that stay raw.</param>
    /// <param name="plainStride">Every so many-th token enters the unweighted covariance.</param>
    public LayerStatistics(AttentionGeometry geometry, SeededRandom random, int sinks = 16, int recent = 64, int plainStride = 4)
    {
        Geometry = geometry;
        (_sinks, _plainStride) = (sinks, plainStride);
        _sensitivity = new AttentionSensitivity(geometry, sinks, recent);
        (_plain, _weighted) = (new SecondMoments(geometry.Width), new SecondMoments(geometry.Width));
        (_plainRows, _weightedRows) = (new WeightedReservoir(ReservoirRows, random), new WeightedReservoir(ReservoirRows, random));
    }

    /// <summary>The layer's attention.</summary>
    public AttentionGeometry Geometry { get; }

    /// <summary>Tokens whose statistics entered the unweighted half.</summary>
    public double Tokens => _plain.Weight;

    /// <summary>Adds a document: the kv rows of its context and the queries that were asked of it.</summary>
    /// <param name="rows">Pre-RoPE kv, <c>[tokens, Width]</c>.</param>
    /// <param name="queries">Queries after RoPE, <c>[queries, Heads * HeadDim]</c>.</param>
    /// <param name="positions">Position of each query.</param>
    /// <param name="residuals">What is to be coded of each row, when that is not the row itself but its difference to references.</param>
    public void Add(ReadOnlySpan<float> rows, ReadOnlySpan<float> queries, ReadOnlySpan<int> positions, ReadOnlySpan<float> residuals = default)
    {
        var coded = residuals.IsEmpty ? rows : residuals;
        var width = Geometry.Width;
        var weights = _sensitivity.Add(rows, queries, positions);
        var mean = weights.Sum() / Math.Max(1, weights.Length);
        for (var token = _sinks; token < weights.Length; token++)
        {
            var row = coded.Slice(token * width, width);
            if (token % _plainStride == 0)
                _plain.Add(row);
            _plainRows.Add(row, 1);
            if (weights[token] <= 0)
                continue;
            var weight = Math.Min(weights[token] / mean, LargestTokenWeight);
            _weighted.Add(row, weight);
            _weightedRows.Add(row, weight);
        }
    }

    /// <summary>Adds what another instance has gathered of the same layer.</summary>
    public void Merge(LayerStatistics other)
    {
        _sensitivity.Merge(other._sensitivity);
        _plain.Merge(other._plain);
        _weighted.Merge(other._weighted);
        _plainRows.Merge(other._plainRows);
        _weightedRows.Merge(other._weightedRows);
    }

    /// <summary>The unweighted mean kv.</summary>
    public double[] Mean() => _plain.Mean();

    /// <summary>Covariance around <paramref name="center"/>, <paramref name="tokenWeighting"/> of it weighted by sensitivity.</summary>
    public double[] Covariance(ReadOnlySpan<double> center, double tokenWeighting)
    {
        var result = _plain.Covariance(center);
        if (_weighted.Weight > 0)
        {
            var weighted = _weighted.Covariance(center);
            for (var i = 0; i < result.Length; i++)
                result[i] = (1 - tokenWeighting) * result[i] + tokenWeighting * weighted[i];
        }

        return result;
    }

    /// <summary>The sensitivity metric's blocks, see <see cref="AttentionSensitivity.Metric"/>.</summary>
    public double[][] Metric() => _sensitivity.Metric();

    /// <summary>Rows to fit quantisers on, with weights that sum to 1, mixed as in <see cref="Covariance"/>.</summary>
    public (float[] Row, double Weight)[] Samples(double tokenWeighting)
    {
        var (plain, weighted) = (_plainRows.Rows.ToArray(), _weightedRows.Rows.ToArray());
        var share = weighted.Length > 0 ? tokenWeighting : 0;
        return
        [
            .. plain.Select(row => (row, (1 - share) / plain.Length)),
            .. weighted.Where(_ => share > 0).Select(row => (row, share / weighted.Length)),
        ];
    }
}
