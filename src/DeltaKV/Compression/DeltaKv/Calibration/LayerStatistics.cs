using DeltaKV.Evaluation;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Everything calibration remembers of one layer: what kv looks like, what matters of it, and which tokens matter.</summary>
internal sealed class LayerStatistics
{
    private const double LargestTokenWeight = 50;

    private readonly AttentionSensitivity _sensitivity;
    private readonly int _sinks;
    private readonly int _plainStride;

    /// <summary>Statistics of one layer; feed it document by document.</summary>
    /// <param name="geometry">The layer's attention.</param>
    /// <param name="random">Chooses the rows to keep.</param>
    /// <param name="sinks">First tokens that stay raw.</param>
    /// <param name="recent">Newest tokens that stay raw.</param>
    /// <param name="plainStride">Every so many-th token enters the unweighted covariance.</param>
    /// <param name="residuals">Whether what references leave of each row is gathered too.</param>
    public LayerStatistics(AttentionGeometry geometry, SeededRandom random, int sinks = 16, int recent = 64, int plainStride = 4, bool residuals = false)
    {
        Geometry = geometry;
        (_sinks, _plainStride) = (sinks, plainStride);
        _sensitivity = new AttentionSensitivity(geometry, sinks, recent);
        Rows = new RowStatistics(geometry.Width, random);
        Residuals = residuals ? new RowStatistics(geometry.Width, random) : null;
    }

    /// <summary>The layer's attention.</summary>
    public AttentionGeometry Geometry { get; }

    /// <summary>The rows themselves.</summary>
    public RowStatistics Rows { get; }

    /// <summary>Their differences to references, if they are wanted.</summary>
    public RowStatistics? Residuals { get; }

    /// <summary>Adds a document: the kv rows of its context and the queries that were asked of it.</summary>
    /// <param name="rows">Pre-RoPE kv, <c>[tokens, Width]</c>.</param>
    /// <param name="queries">Queries after RoPE, <c>[queries, Heads * HeadDim]</c>.</param>
    /// <param name="positions">Position of each query.</param>
    /// <param name="residuals">What references leave of each row; needed where <see cref="Residuals"/> are.</param>
    public void Add(ReadOnlyMemory<float> rows, ReadOnlyMemory<float> queries, int[] positions, ReadOnlySpan<float> residuals = default)
    {
        var width = Geometry.Width;
        var weights = _sensitivity.Add(rows, queries, positions);
        var mean = weights.Sum() / Math.Max(1, weights.Length);
        for (var token = _sinks; token < weights.Length; token++)
        {
            var weight = weights[token] <= 0 ? 0 : Math.Min(weights[token] / mean, LargestTokenWeight);
            Rows.Add(rows.Span.Slice(token * width, width), weight, token % _plainStride == 0);
            Residuals?.Add(residuals.Slice(token * width, width), weight, token % _plainStride == 0);
        }

        Rows.EndDocument();
        Residuals?.EndDocument();
    }

    /// <summary>Adds what another instance has gathered of the same layer.</summary>
    public void Merge(LayerStatistics other)
    {
        _sensitivity.Merge(other._sensitivity);
        Rows.Merge(other.Rows);
        if (other.Residuals is { } residuals)
            Residuals?.Merge(residuals);
    }

    /// <summary>The sensitivity metric's blocks, see <see cref="AttentionSensitivity.Metric"/>.</summary>
    public double[][] Metric() => _sensitivity.Metric();

    /// <summary>What heads would lose without history, see <see cref="AttentionSensitivity.WithoutHistory"/>.</summary>
    public IReadOnlyList<double> WithoutHistory(int recent) => _sensitivity.WithoutHistory(recent);

    /// <summary>Writes what was gathered.</summary>
    public void Save(BinaryWriter writer)
    {
        _sensitivity.Save(writer);
        Rows.Save(writer);
        Residuals?.Save(writer);
    }

    /// <summary>Becomes what an instance of the same layer and settings saved.</summary>
    public void Load(BinaryReader reader)
    {
        _sensitivity.Load(reader);
        Rows.Load(reader);
        Residuals?.Load(reader);
    }
}
