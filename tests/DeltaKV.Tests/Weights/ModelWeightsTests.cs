using DeltaKV.Tests.Support;
using DeltaKV.Weights;
using static DeltaKV.Tests.Weights.RawSafetensors;

namespace DeltaKV.Tests.Weights;

public sealed class ModelWeightsTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void OpensASingleFile()
    {
        using var weights = ModelWeights.Open(TestModels.Needle);

        Assert.Equal([4096L, 384], weights.Require("model.embed_tokens.weight", 4096, 384).Info.Shape.ToArray());
        Assert.True(weights.ByteLength > 30_000_000);
    }

    [Fact]
    public void OpensShards()
    {
        WriteShards("""{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");
        using var weights = ModelWeights.Open(directory.Path);

        Assert.Equal([0, 1], weights.Require("a", 2).Bytes(0, 2).ToArray());
        Assert.EndsWith("two.safetensors", weights.Tensors["b"].File.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void ATensorOutsideTheIndexIsNotPartOfTheModel()
    {
        WriteShards("""{"weight_map":{"b":"two.safetensors"}}""");
        directory.Write("two.safetensors", Build($"{{{Tensor("b", "U8", "2", 0, 2)},{Tensor("extra", "U8", "1", 2, 3)}}}", 3));
        using var weights = ModelWeights.Open(directory.Path);

        Assert.False(weights.TryGet("extra", out _));
    }

    [Theory]
    [InlineData("../one.safetensors")]
    [InlineData("/etc/one.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("C:one.safetensors")]
    [InlineData("sub\\\\one.safetensors")]
    [InlineData("one.bin")]
    public void ShardNamesCannotLeaveTheDirectory(string shard)
    {
        directory.Write(SafetensorsIndex.FileName, $$$"""{"weight_map":{"a":"{{{shard}}}"}}""");
        var exception = Assert.Throws<ModelFormatException>(() => ModelWeights.Open(directory.Path));
        Assert.Contains("not a plain", exception.Reason, StringComparison.Ordinal);
        Assert.Equal("a", exception.Tensor);
    }

    [Theory]
    [InlineData("{}", "weight_map is missing")]
    [InlineData("""{"weight_map":{}}""", "empty")]
    [InlineData("""{"weight_map":{"a":3}}""", "not a string")]
    [InlineData("""{"weight_map":{"a":"\ud800"}}""", "not a string")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}""", "not valid JSON")]
    [InlineData("""{"weight_map":{"a":"none.safetensors"}}""", "cannot be read")]
    [InlineData("""{"weight_map":{"a":"two.safetensors"}}""", "does not hold it")]
    [InlineData("""{"weight_map":[]}""", "expected an object")]
    [InlineData("[]", "not a JSON object")]
    public void RefusesABrokenIndex(string index, string reason)
    {
        WriteShards(index);
        Assert.Contains(reason, Assert.Throws<ModelFormatException>(() => ModelWeights.Open(directory.Path)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesATensorInTwoShards()
    {
        WriteShards("""{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""");
        directory.Write("two.safetensors", Build($"{{{Tensor("b", "U8", "2", 0, 2)},{Tensor("a", "U8", "2", 2, 4)}}}", 4));
        Assert.Contains("also in shard 'one.safetensors'", Assert.Throws<ModelFormatException>(() => ModelWeights.Open(directory.Path)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesADirectoryWithoutWeights() =>
        Assert.Contains("has neither", Assert.Throws<ModelFormatException>(() => ModelWeights.Open(directory.Path)).Reason, StringComparison.Ordinal);

    [Fact]
    public void RequireNamesWhatIsMissingOrOfAnotherShape()
    {
        WriteShards("""{"weight_map":{"a":"one.safetensors"}}""");
        using var weights = ModelWeights.Open(directory.Path);

        Assert.Contains("asks for [3]", Assert.Throws<ModelFormatException>(() => weights.Require("a", 3)).Reason, StringComparison.Ordinal);
        Assert.Contains("is missing", Assert.Throws<ModelFormatException>(() => weights.Require("q", 3)).Reason, StringComparison.Ordinal);
    }

    private void WriteShards(string index)
    {
        directory.Write(SafetensorsIndex.FileName, index);
        directory.Write("one.safetensors", Build($"{{{Tensor("a", "U8", "2", 0, 2)}}}", 2));
        directory.Write("two.safetensors", Build($"{{{Tensor("b", "U8", "2", 0, 2)}}}", 2));
    }
}
