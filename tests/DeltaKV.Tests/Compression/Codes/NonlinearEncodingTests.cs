using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Codes;

/// <summary>Encoders with a hidden layer: search, means of references, features, product and packing against the whole chain in double.</summary>
[Collection(KernelCollection.Name)]
public sealed class NonlinearEncodingTests(KernelFixture device)
{
    [Theory]
    [InlineData(nameof(FeatureActivation.SwiGlu), 96, false, 64, 2, 4, 16)]
    [InlineData(nameof(FeatureActivation.SwiGlu), 48, true, 64, 2, 1, 8)]
    [InlineData(nameof(FeatureActivation.SwiGlu), 320, false, 64, 1, 0, 16)]
    [InlineData(nameof(FeatureActivation.Gelu), 80, false, 64, 2, 4, 16)]
    [InlineData(nameof(FeatureActivation.Gelu), 144, true, 128, 1, 3, 4)]
    [InlineData(nameof(FeatureActivation.Gelu), 16, false, 80, 1, 0, 16)]
    public void Encodes_the_difference_of_what_the_network_says(
        string kind, int features, bool split, int headDim, int keyHeads, int neighbours, int referenceBits)
    {
        var activation = Enum.Parse<FeatureActivation>(kind);
        // Networks of different widths and a linear layer side by side, as in a model whose layers differ.
        LinearCodec[] codecs =
        [
            CodecSamples.Nonlinear(activation, features, split, keyHeads, headDim, neighbours, 1),
            CodecSamples.Create("token4", keyHeads, headDim, neighbours, 2),
            CodecSamples.Nonlinear(activation, features + 32, split, keyHeads, headDim, neighbours, 3, CodeScales.PerChunk),
        ];
        using var fixture = new CodedFixture(device, new AttentionShape(2 * keyHeads, keyHeads, headDim), codecs, [20, 130, 90], referenceBits, 5);

        fixture.Compress();

        var records = fixture.Records.GetAsArray1D();
        var references = fixture.References.GetAsArray1D();
        for (var layer = 0; layer < codecs.Length; layer++)
        {
            var coder = new ReferenceCoder(codecs[layer]);
            for (var s = 0; s < fixture.Lengths.Length; s++)
            {
                for (var p = CodedFixture.Sinks; p < CodedFixture.CodedEnd(fixture.Lengths[s]); p++)
                {
                    var record = fixture.Record(records, layer, s, p);
                    var reference = Reference(fixture, references, layer, s, coder.Ids(record));
                    var projected = coder.Project(fixture.Kv[layer][s][p], reference);
                    var (values, tolerances) = coder.Stored(record, projected);
                    for (var i = 0; i < values.Length; i++)
                    {
                        Assert.True(
                            Math.Abs(values[i] - projected[i]) <= tolerances[i],
                            $"Layer {layer}, sequence {s}, position {p}, dimension {i}: stored {values[i]:g6}, expected {projected[i]:g6} within {tolerances[i]:g3}.");
                    }
                }
            }
        }
    }

    [Fact]
    public void A_hidden_layer_of_the_wrong_size_is_refused()
    {
        var codec = CodecSamples.Nonlinear(FeatureActivation.Gelu, 32, false, 2, 64, 0, 1);
        var group = codec.Groups[0];
        Assert.Contains("24 features", Refusal(group with { Features = group.Features! with { Count = 24 } }), StringComparison.Ordinal);
        Assert.Contains("48 x 256", Refusal(group with { Features = group.Features with { Count = 48 } }), StringComparison.Ordinal);
        Assert.Contains("64 x 32", Refusal(group with { Down = new float[64 * 256] }), StringComparison.Ordinal);
        codec.Validate();

        string Refusal(CodeGroup changed) => Assert.Throws<ArgumentException>((codec with { Groups = [changed] }).Validate).Message;
    }

    [Fact]
    public void A_hidden_layer_wider_than_shared_memory_is_refused_saying_how_wide_it_may_be()
    {
        var codec = CodecSamples.Nonlinear(FeatureActivation.Gelu, 8192, false, 1, 64, 0, 1);
        using var codes = new CodeTables(device.Accelerator, [codec]);
        var format = new CodedKvFormat(new AttentionShape(2, 1, 64), [codec], new CodedKvOptions());
        var capacity = new CodedKvCapacity(1, 4, 4, 1, 64);
        using var memory = new CodedMemory(device.Accelerator, format, capacity);
        var message = Assert.Throws<NotSupportedException>(() => new Compressor(device.Accelerator, format, codes, memory, 16)).Message;
        Assert.Contains("8192 hidden features", message, StringComparison.Ordinal);
        Assert.Contains("at most", message, StringComparison.Ordinal);
    }

    private static double[] Reference(CodedFixture fixture, uint[] references, int layer, int sequence, int[] ids)
    {
        var mean = fixture.Codecs[layer].Mean.Select(value => (double)value).ToArray();
        foreach (var id in ids)
        {
            var reference = fixture.Reference(references, layer, sequence, id);
            for (var i = 0; i < mean.Length; i++)
                mean[i] += reference[i] / ids.Length;
        }

        return mean;
    }
}
