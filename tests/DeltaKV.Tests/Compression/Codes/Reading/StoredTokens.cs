namespace DeltaKV.Tests.Compression.Codes.Reading;

/// <summary>What a layer of a <see cref="CodedFixture"/> stores of every token, decoded in double, keys turned to their positions; and attention over it.</summary>
internal sealed class StoredTokens
{
    private readonly CodedFixture fixture;
    private readonly double[][][] rows;
    private readonly Func<int, bool> keepsHistory;

    internal StoredTokens(CodedFixture fixture, int layer, bool isExact = false)
    {
        this.fixture = fixture;
        keepsHistory = fixture.Codecs[layer].KeepsHistory;
        var records = fixture.Records.GetAsArray1D();
        var references = fixture.References.GetAsArray1D();
        var coder = new ReferenceCoder(fixture.Codecs[layer]);
        rows = [.. fixture.Lengths.Select((length, s) => Enumerable.Range(0, length).Select(p =>
        {
            var isCoded = !isExact && p >= CodedFixture.Sinks && p < CodedFixture.CodedEnd(length);
            var kv = isCoded ? Decode(coder, records, references, layer, s, p) : (double[])fixture.Kv[layer][s][p].Clone();
            for (var h = 0; h < fixture.Shape.KeyHeads; h++)
                fixture.Rotate(kv.AsSpan(h * fixture.Shape.HeadDim, fixture.Shape.HeadDim), p, back: false);
            return kv;
        }).ToArray())];
    }

    /// <summary>Keys of all heads, then values.</summary>
    internal ReadOnlySpan<double> Row(int sequence, int position) => rows[sequence][position];

    /// <summary>Output and logarithm of the softmax denominator of the newest token's query.</summary>
    internal (double[] Output, double LogSumExp) Attend(float[] query, int sequence, int head, int[]? selected)
    {
        var length = fixture.Lengths[sequence];
        var end = CodedFixture.CodedEnd(length);
        var (heads, dim) = (fixture.Shape.KeyHeads, fixture.Shape.HeadDim);
        if (!keepsHistory(head))
            selected = [];
        var read = Enumerable.Range(0, length).Where(p => selected is null || p < CodedFixture.Sinks || p >= end || selected.Contains(p)).ToArray();
        var scores = Array.ConvertAll(read, p => Score(query, sequence, p, head));
        var largest = scores.Max();
        var total = scores.Sum(score => Math.Exp(score - largest));
        var output = new double[dim];
        for (var n = 0; n < read.Length; n++)
        {
            for (var i = 0; i < dim; i++)
                output[i] += Math.Exp(scores[n] - largest) / total * rows[sequence][read[n]][((heads + head) * dim) + i];
        }

        return (output, largest + Math.Log(total));
    }

    /// <summary>A scaled product of a query and a token's key.</summary>
    internal double Score(float[] query, int sequence, int position, int head)
    {
        var dim = fixture.Shape.HeadDim;
        var sum = 0.0;
        for (var i = 0; i < dim; i++)
            sum += query[i] * rows[sequence][position][(head * dim) + i];
        return sum / Math.Sqrt(dim);
    }

    private double[] Decode(ReferenceCoder coder, uint[] records, uint[] references, int layer, int sequence, int position)
    {
        var record = fixture.Record(records, layer, sequence, position);
        var kv = coder.Decode(record);
        var ids = coder.Ids(record);
        foreach (var id in ids)
        {
            var reference = fixture.Reference(references, layer, sequence, id);
            for (var i = 0; i < kv.Length; i++)
                kv[i] += reference[i] / ids.Length;
        }

        return kv;
    }
}
