using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Published;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Kernels;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.DeltaKv.Published;

[Collection(KernelCollection.Name)]
public sealed class PublishedCompressorTests(KernelFixture device) : IDisposable
{
    private const int KeyHeads = 2;
    private const int HeadDim = 64;
    private const int Width = 2 * KeyHeads * HeadDim;

    private readonly TemporaryDirectory directory = new();

    private static ModelConfig Model => ModelConfig.Load(TestModels.Needle) with { LayerCount = 3, HeadCount = 4, KeyValueHeadCount = KeyHeads, HeadDim = HeadDim };

    [Theory]
    [InlineData("mlp_swiglu", 96, false, false, "linear", 0)]
    [InlineData("mlp_swiglu", 40, true, true, "linear", 0)]
    [InlineData("mlp_gelu", 72, true, false, "linear", 0)]
    [InlineData("mlp_gelu", 32, false, true, "linear", 0)]
    [InlineData("linear", 0, true, false, "linear", 0)]
    [InlineData("linear", 0, false, true, "linear", 0)]
    [InlineData("mlp_gelu", 64, true, false, "mlp_gelu", 72)]
    [InlineData("mlp_swiglu", 40, true, true, "mlp_swiglu", 24)]
    [InlineData("linear", 0, false, true, "mlp_gelu", 32)]
    [InlineData("mlp_gelu", 32, false, false, "mlp_swiglu", 48)]
    public void The_whole_chain_computes_what_the_checkpoint_says(string kind, int intermediate, bool bias, bool split, string upKind, int upIntermediate)
    {
        var compressor = new SyntheticCompressor(kind, 3, Width, 64, intermediate, bias, split, 7, upKind, upIntermediate);
        compressor.Save(directory);
        var codec = Load(new PublishedChoices());
        Assert.Equal([LayerTreatment.Raw, LayerTreatment.Coded, LayerTreatment.Coded], codec.Layers.Select(layer => layer.Treatment));
        Assert.Equal([true, false, false], codec.Layers.Select(layer => layer.Observes));
        var codecs = codec.Layers.Skip(1).Select(layer => layer.Codec!).ToArray();
        Assert.All(codecs, layer => Assert.Equal((4, split ? CodeScales.PerChunk : CodeScales.PerToken), (layer.Neighbours, layer.Scales)));

        using var fixture = new CodedFixture(device, new AttentionShape(4, KeyHeads, HeadDim), codecs, [120], 16, 3);
        fixture.Compress();
        var records = fixture.Records.GetAsArray1D();
        var references = fixture.References.GetAsArray1D();
        for (var layer = 0; layer < codecs.Length; layer++)
        {
            var coder = new ReferenceCoder(codecs[layer]);
            for (var p = CodedFixture.Sinks; p < CodedFixture.CodedEnd(120); p++)
            {
                var record = fixture.Record(records, layer, 0, p);
                var mean = Mean(coder.Ids(record).Select(id => fixture.Reference(references, layer, 0, id)).ToArray());
                var latents = compressor.Encode(layer + 1, fixture.Kv[layer][0][p], mean);
                var (stored, tolerances) = coder.Stored(record, latents);
                for (var i = 0; i < stored.Length; i++)
                    Assert.InRange(stored[i], latents[i] - tolerances[i], latents[i] + tolerances[i]);

                // What decoding adds to the references' mean; matrices are halves exactly.
                var decoded = coder.Decode(record);
                var expected = compressor.Prefixes.SelectMany((_, i) => compressor.Decode(layer + 1, i, stored[(64 * i)..(64 * (i + 1))])).ToArray();
                for (var i = 0; i < Width; i++)
                    Assert.Equal(expected[i], decoded[i], 1e-6);
            }
        }
    }

    [Fact]
    public void The_method_takes_a_directory_and_its_choices()
    {
        new SyntheticCompressor("mlp_swiglu", 8, 512, 96, 64, false, false, 1).Save(directory);
        using var weights = ModelWeights.Open(TestModels.Needle);
        var config = ModelConfig.Load(TestModels.Needle);

        var format = Assert.IsType<CodedKvMethod>(KvMethods.Resolve($"deltakv:codec={directory.Path},full=0+1+4,top=64,neighbours=2,scales=chunk,bits=8", config, weights)).Format;

        Assert.Equal([-1, -1, 0, 1, -1, 2, 3, 4], format.CodedLayer);
        Assert.Equal([1, 4], format.Observers.Order());
        Assert.Equal((128, 10, 8), (format.Options.Recent, format.Options.ReferenceStride, format.Options.ReferenceBits));
        Assert.All(format.Codecs, codec => Assert.Equal((2, CodeScales.PerChunk, 96), (codec.Neighbours, codec.Scales, codec.Groups[0].Dimensions)));
    }

    [Fact]
    public void Full_layers_references_and_stride_may_come_from_the_configuration()
    {
        var compressor = new SyntheticCompressor("mlp_gelu", 3, Width, 64, 32, true, false, 1);
        compressor.Config["full_attn_layers"] = "0, 2";
        compressor.Config["deltakv_neighbor_count"] = 1;
        compressor.Config["cluster_ratio"] = 0.05;
        compressor.Save(directory);
        var codec = Load(new PublishedChoices());
        Assert.Equal([LayerTreatment.Raw, LayerTreatment.Coded, LayerTreatment.Raw], codec.Layers.Select(layer => layer.Treatment));
        Assert.Equal((1, 20), (codec.Layers[1].Codec!.Neighbours, codec.Options.ReferenceStride));
    }

    [Theory]
    [InlineData("latents", "64", "96")]
    [InlineData("hidden", "32", "48")]
    [InlineData("width", "128", "256")]
    [InlineData("kind", "SwiGlu", "Gelu")]
    [InlineData("layer", "layer 2", "3")]
    [InlineData("up", "64", "80")]
    [InlineData("decoder", "24", "40")]
    [InlineData("decoder inputs", "80", "64")]
    [InlineData("decoder outputs", "128", "256")]
    public void What_does_not_fit_is_refused_with_both_sides_named(string what, string found, string expected)
    {
        var compressor = new SyntheticCompressor("mlp_swiglu", what == "layer" ? 2 : 3, what == "width" ? 128 : Width, 64, 32, false, false, 1);
        if (what == "latents")
            compressor.Config["kv_compressed_size"] = 96;
        else if (what == "hidden")
            compressor.Config["compressor_down_intermediate_size"] = 48;
        else if (what == "kind")
            compressor.Config["compressor_down_type"] = "mlp_gelu";
        else if (what == "up")
            compressor.Reshape("model.layers.1.self_attn.compress_up.weight", Width, 80);
        else if (what.StartsWith("decoder", StringComparison.Ordinal))
            compressor = new SyntheticCompressor("mlp_swiglu", 3, Width, 64, 32, false, false, 1, "mlp_gelu", 24);
        if (what == "decoder")
            compressor.Config["compressor_up_intermediate_size"] = 40;
        else if (what == "decoder inputs")
            compressor.Reshape("model.layers.1.self_attn.compress_up.0.weight", 24, 80);
        else if (what == "decoder outputs")
            compressor.Reshape("model.layers.1.self_attn.compress_up.2.weight", 128, 24);
        compressor.Save(directory);
        var error = Record.Exception(() => Load(new PublishedChoices()));
        Assert.NotNull(error);
        Assert.True(error is CodecMismatchException or ModelFormatException, error.ToString());
        Assert.Contains(found, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("collect_kv_before_rope", false, "collect_kv_before_rope")]
    [InlineData("recon_mode", "delta_in_origin", "delta_in_latent")]
    [InlineData("compressor_down_type", "mlp_relu", "mlp_swiglu")]
    public void Other_methods_are_refused_by_name(string field, object value, string named)
    {
        var compressor = new SyntheticCompressor("mlp_swiglu", 3, Width, 64, 32, false, false, 1);
        compressor.Config[field] = value;
        compressor.Save(directory);
        Assert.Contains(named, Assert.Throws<NotSupportedException>(() => Load(new PublishedChoices())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Models_that_normalise_keys_are_refused()
    {
        new SyntheticCompressor("mlp_swiglu", 3, Width, 64, 32, false, false, 1).Save(directory);
        Assert.Throws<NotSupportedException>(() => PublishedCompressor.Load(directory.Path, Model with { HasQkNorm = true }, Fingerprint, new PublishedChoices()));
    }

    [Fact]
    public void A_directory_of_something_else_is_refused()
    {
        directory.Write("config.json", "{}");
        Assert.Throws<ModelFormatException>(() => Load(new PublishedChoices()));
        new SafetensorsWriter().Save(directory.File("model.safetensors"));
        Assert.Contains("no DeltaKV compressor", Assert.Throws<ModelFormatException>(() => Load(new PublishedChoices())).Message, StringComparison.Ordinal);
    }

    public void Dispose() => directory.Dispose();

    private static ModelFingerprint Fingerprint => new("Llama", 3, KeyHeads, HeadDim, "0123");

    private DeltaKvCodec Load(PublishedChoices choices) => PublishedCompressor.Load(directory.Path, Model, Fingerprint, choices);

    private static double[] Mean(double[][] rows) => [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Average(row => row[i]))];
}
