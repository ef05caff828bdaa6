using DeltaKV.Compression.Codes;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Codes;

[Collection(KernelCollection.Name)]
public sealed class EncodingTests(KernelFixture device)
{
    public static TheoryData<string, int, int, int, int> Cases()
    {
        var data = new TheoryData<string, int, int, int, int>();
        foreach (var name in CodecSamples.Names)
        {
            data.Add(name, 64, 2, 0, 16);
            data.Add(name, 64, 2, 4, 16);
        }

        data.Add("mixed", 64, 4, 1, 8);
        data.Add("mixed", 128, 2, 2, 4);
        data.Add("token4", 64, 2, 3, 4);
        data.Add("hadamard4", 80, 1, 4, 16);
        data.Add("hadamard3", 128, 2, 0, 16);
        data.Add("hadamard3", 80, 1, 1, 16);
        data.Add("hadamard4-3", 64, 4, 2, 8);
        data.Add("chunk3", 64, 2, 3, 16);
        data.Add("hadamard8-2", 96, 2, 1, 16);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Encodes_what_the_reference_encodes(string name, int headDim, int keyHeads, int neighbours, int referenceBits)
    {
        using var fixture = Create(name, headDim, keyHeads, neighbours, referenceBits, [20, 200, 90]);
        fixture.Compress();
        var records = fixture.Records.GetAsArray1D();
        var references = fixture.References.GetAsArray1D();
        for (var layer = 0; layer < fixture.Codecs.Length; layer++)
        {
            var coder = new ReferenceCoder(fixture.Codecs[layer]);
            for (var s = 0; s < fixture.Lengths.Length; s++)
            {
                for (var p = CodedFixture.Sinks; p < CodedFixture.CodedEnd(fixture.Lengths[s]); p++)
                {
                    var record = fixture.Record(records, layer, s, p);
                    var residual = Residual(fixture, references, layer, s, p, coder.Ids(record));
                    var projected = coder.Project(residual);
                    var (values, tolerances) = coder.Stored(record, projected);
                    for (var i = 0; i < values.Length; i++)
                    {
                        Assert.True(
                            Math.Abs(values[i] - projected[i]) <= tolerances[i],
                            $"{name}, layer {layer}, sequence {s}, position {p}, dimension {i}: stored {values[i]:g6}, expected {projected[i]:g6} within {tolerances[i]:g3}.");
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(64, 2, 4, 16, 3)]
    [InlineData(64, 2, 1, 8, 1)]
    [InlineData(128, 2, 2, 4, 2)]
    [InlineData(80, 1, 3, 16, 2)]
    public void Finds_the_nearest_references(int headDim, int keyHeads, int neighbours, int referenceBits, int splits)
    {
        using var fixture = Create("token4", headDim, keyHeads, neighbours, referenceBits, [1300, 45, 200]);
        fixture.Compress(splits);
        var records = fixture.Records.GetAsArray1D();
        var references = fixture.References.GetAsArray1D();
        for (var layer = 0; layer < fixture.Codecs.Length; layer++)
        {
            var coder = new ReferenceCoder(fixture.Codecs[layer]);
            for (var s = 0; s < fixture.Lengths.Length; s++)
            {
                var end = CodedFixture.CodedEnd(fixture.Lengths[s]);
                var stored = Enumerable.Range(0, Math.Max(0, (end - CodedFixture.Sinks + CodedFixture.Stride - 1) / CodedFixture.Stride))
                    .Select(ordinal => fixture.Reference(references, layer, s, ordinal)).ToArray();
                for (var p = CodedFixture.Sinks; p < end; p++)
                    CheckIds(fixture.Kv[layer][s][p], stored, coder.Ids(fixture.Record(records, layer, s, p)), p - CodedFixture.Sinks, neighbours);
            }
        }
    }

    private static void CheckIds(double[] row, double[][] references, int[] ids, int offset, int neighbours)
    {
        var available = (offset / CodedFixture.Stride) + 1;
        if (offset % CodedFixture.Stride == 0)
        {
            Assert.All(ids, id => Assert.Equal(offset / CodedFixture.Stride, id));
            return;
        }

        var scores = references[..available].Select(reference => Score(row, reference)).ToArray();
        var best = scores.OrderDescending().Take(neighbours).ToArray();
        Assert.All(ids, id => Assert.InRange(id, 0, available - 1));
        if (available >= neighbours)
            Assert.Equal(neighbours, ids.Distinct().Count());
        // Tokens pass through halves: what is found may be worse than the best by that rounding.
        var tolerance = 2e-3 * row.Length;
        for (var n = 0; n < Math.Min(neighbours, available); n++)
            Assert.True(scores[ids[n]] >= best[n] - tolerance, $"Neighbour {n} of offset {offset} scores {scores[ids[n]]:g6}, the best {best[n]:g6}.");
    }

    private static double Score(double[] row, double[] reference)
    {
        var score = 0.0;
        for (var i = 0; i < row.Length; i++)
            score += reference[i] * ((2 * row[i]) - reference[i]);
        return score;
    }

    private static double[] Residual(CodedFixture fixture, uint[] references, int layer, int sequence, int position, int[] ids)
    {
        var codec = fixture.Codecs[layer];
        var residual = fixture.Kv[layer][sequence][position].Select((value, i) => value - codec.Mean[i]).ToArray();
        foreach (var id in ids)
        {
            var reference = fixture.Reference(references, layer, sequence, id);
            for (var i = 0; i < residual.Length; i++)
                residual[i] -= reference[i] / ids.Length;
        }

        return residual;
    }

    private CodedFixture Create(string name, int headDim, int keyHeads, int neighbours, int referenceBits, int[] lengths)
    {
        var shape = new AttentionShape(2 * keyHeads, keyHeads, headDim);
        LinearCodec[] codecs =
        [
            CodecSamples.Create(name, keyHeads, headDim, neighbours, 1),
            CodecSamples.Create(name, keyHeads, headDim, neighbours, 2),
        ];
        return new CodedFixture(device, shape, codecs, lengths, referenceBits, 5);
    }
}
