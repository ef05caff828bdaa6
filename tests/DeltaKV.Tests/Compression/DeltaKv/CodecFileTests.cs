using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.DeltaKv;

public sealed class CodecFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    private static DeltaKvCodec Codec => new()
    {
        Model = new ModelFingerprint("Llama", 3, 2, 64, "0123456789abcdef"),
        Options = new CodedKvOptions { Sinks = 32, Recent = 128, ReferenceStride = 7, ReferenceBits = 8 },
        Report = "calibrated on nothing, for a test",
        Layers =
        [
            new CodecLayer(LayerTreatment.Recomputed),
            new CodecLayer(LayerTreatment.Raw, null, Observes: true),
            new CodecLayer(LayerTreatment.Coded, HadamardCodec.Create(2, 64, ChunkWidth.Bits4, ChunkWidth.Bits3) with { Neighbours = 3 }),
        ],
    };

    [Fact]
    public void WhatIsSavedIsLoaded()
    {
        CodecFile.Save(Codec, _path);
        var loaded = CodecFile.Load(_path);

        Assert.Equal(Codec with { Layers = loaded.Layers }, loaded);
        Assert.Equal(Codec.Layers.Select(l => (l.Treatment, l.Observes)), loaded.Layers.Select(l => (l.Treatment, l.Observes)));
        var (saved, read) = (Codec.Layers[2].Codec!, loaded.Layers[2].Codec!);
        Assert.Equal((saved.Neighbours, saved.Scales, saved.KeyHeads, saved.HeadDim), (read.Neighbours, read.Scales, read.KeyHeads, read.HeadDim));
        Assert.Equal(saved.Groups.Select(g => (g.Start, g.Length)), read.Groups.Select(g => (g.Start, g.Length)));
        Assert.All(saved.Groups.Zip(read.Groups), pair =>
        {
            Assert.Equal(pair.First.Chunks.AsEnumerable(), pair.Second.Chunks);
            Assert.Equal(pair.First.Up.Select(v => (Half)v), pair.Second.Up.Select(v => (Half)v));
            Assert.Equal(pair.First.Down.Select(v => (Half)v), pair.Second.Down.Select(v => (Half)v));
        });
        Assert.Equal(Codec.BytesPerToken, loaded.BytesPerToken);
    }

    [Theory]
    [InlineData(nameof(FeatureActivation.SwiGlu), false)]
    [InlineData(nameof(FeatureActivation.Gelu), true)]
    public void Hidden_layers_are_saved_too(string activation, bool split)
    {
        var saved = CodecSamples.WithDecoder(CodecSamples.Nonlinear(Enum.Parse<FeatureActivation>(activation), 48, split, 2, 64, 4, 3), FeatureActivation.SwiGlu, 32, 5);
        CodecFile.Save(Codec with { Layers = [Codec.Layers[0], Codec.Layers[1], new CodecLayer(LayerTreatment.Coded, saved)] }, _path);
        var read = CodecFile.Load(_path).Layers[2].Codec!;

        Assert.Equal(saved.Offset, read.Offset);
        Assert.Equal(saved.FeatureCount, read.FeatureCount);
        Assert.All(saved.Groups.Zip(read.Groups), pair =>
        {
            var (one, other) = (pair.First.Features!, pair.Second.Features!);
            Assert.Equal((one.Activation, one.Count), (other.Activation, other.Count));
            Assert.Equal(one.Weight.Select(v => (Half)v), other.Weight.Select(v => (Half)v));
            Assert.Equal(one.Bias, other.Bias);
            Assert.Equal(pair.First.Down.Select(v => (Half)v), pair.Second.Down.Select(v => (Half)v));
            (one, other) = (pair.First.Decoder!, pair.Second.Decoder!);
            Assert.Equal((one.Activation, one.Count), (other.Activation, other.Count));
            Assert.Equal(one.Weight.Select(v => (Half)v), other.Weight.Select(v => (Half)v));
            Assert.Equal(one.Bias, other.Bias);
            Assert.Equal(pair.First.Up.Select(v => (Half)v), pair.Second.Up.Select(v => (Half)v));
        });
    }

    [Fact]
    public void AnotherModelIsRefusedWithBothSidesNamed()
    {
        var other = Codec.Model with { Layers = 32, Weights = "feed" };
        var error = Assert.Throws<CodecMismatchException>(() => Codec.RequireModel(other));
        Assert.Contains("3 layers", error.Message, StringComparison.Ordinal);
        Assert.Contains("32 layers", error.Message, StringComparison.Ordinal);
        Assert.Contains("feed", error.Message, StringComparison.Ordinal);
        Codec.RequireModel(Codec.Model);
    }

    [Fact]
    public void TheShippedCodecIsForTheShippedModel()
    {
        var codec = CodecFile.Load(Path.Combine(TestModels.Needle, "codec.safetensors"));
        using var weights = ModelWeights.Open(TestModels.Needle);
        codec.RequireModel(ModelFingerprint.Of(ModelConfig.Load(TestModels.Needle), weights));
        Assert.InRange(CodecSize.Usage(codec, 4095).Ratio, 0, 0.06);
        Assert.Contains(codec.Layers, layer => layer.Observes);
        Assert.Equal(LayerTreatment.Recomputed, codec.Layers[0].Treatment);
        Assert.Contains("families left out: none", codec.Report, StringComparison.Ordinal);
    }

    [Fact]
    public void AWeightsFileIsNotACodec()
    {
        new SafetensorsWriter().Save(_path);
        Assert.Contains("deltakv_codec", Assert.Throws<CodecMismatchException>(() => CodecFile.Load(_path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALayerCountThatContradictsTheModelIsRefused()
    {
        CodecFile.Save(Codec with { Layers = [.. Codec.Layers, new CodecLayer(LayerTreatment.Raw)] }, _path);
        var message = Assert.Throws<CodecMismatchException>(() => CodecFile.Load(_path)).Message;
        Assert.Contains("4 layers", message, StringComparison.Ordinal);
        Assert.Contains("model of 3", message, StringComparison.Ordinal);
    }

    [Fact]
    public void MatricesOfTheWrongSizeAreRefused()
    {
        CodecFile.Save(Codec with { Model = Codec.Model with { HeadDim = 32 } }, _path);
        Assert.Contains("layers.2.mean", Assert.Throws<CodecMismatchException>(() => CodecFile.Load(_path)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => File.Delete(_path);
}
