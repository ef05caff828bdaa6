using DeltaKV.Evaluation;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What the rows of one layer look like: all of them alike, and weighted by how much attention makes of each.</summary>
/// <remarks>Memory: two <c>width x width</c> double matrices and two reservoirs of rows.</remarks>
internal sealed class RowStatistics
{
    private const int ReservoirRows = 1536;

    private readonly SecondMoments _plain;
    private readonly SecondMoments _weighted;
    private readonly WeightedReservoir _plainRows;
    private readonly WeightedReservoir _weightedRows;

    /// <param name="width">Elements of a row.</param>
    /// <param name="random">Chooses the rows to keep.</param>
    public RowStatistics(int width, SeededRandom random)
    {
        (_plain, _weighted) = (new SecondMoments(width), new SecondMoments(width));
        _plainRows = new WeightedReservoir(ReservoirRows, new SeededRandom((long)random.NextBits()));
        _weightedRows = new WeightedReservoir(ReservoirRows, new SeededRandom((long)random.NextBits()));
    }

    /// <summary>Tokens in the unweighted covariance.</summary>
    public double Tokens => _plain.Weight;

    /// <summary>Adds a row.</summary>
    /// <param name="row">Pre-RoPE kv, or what references leave of it.</param>
    /// <param name="weight">What attention makes of it; 0: nothing.</param>
    /// <param name="inPlain">Whether it enters the unweighted covariance.</param>
    public void Add(ReadOnlySpan<float> row, double weight, bool inPlain)
    {
        if (inPlain)
            _plain.Add(row);
        _plainRows.Add(row, 1);
        if (weight <= 0)
            return;
        _weighted.Add(row, weight);
        _weightedRows.Add(row, weight);
    }

    /// <summary>Ends a document.</summary>
    public void EndDocument()
    {
        _plain.Flush();
        _weighted.Flush();
    }

    /// <summary>Adds what another instance has gathered of the same layer.</summary>
    public void Merge(RowStatistics other)
    {
        _plain.Merge(other._plain);
        _weighted.Merge(other._weighted);
        _plainRows.Merge(other._plainRows);
        _weightedRows.Merge(other._weightedRows);
    }

    /// <summary>The unweighted mean.</summary>
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

    /// <summary>Writes what was gathered.</summary>
    public void Save(BinaryWriter writer)
    {
        _plain.Save(writer);
        _weighted.Save(writer);
        _plainRows.Save(writer);
        _weightedRows.Save(writer);
    }

    /// <summary>Becomes what was saved.</summary>
    public void Load(BinaryReader reader)
    {
        _plain.Load(reader);
        _weighted.Load(reader);
        _plainRows.Load(reader);
        _weightedRows.Load(reader);
    }
}
