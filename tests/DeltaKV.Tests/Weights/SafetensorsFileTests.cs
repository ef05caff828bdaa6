using System.Buffers.Binary;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;
using static DeltaKV.Tests.Weights.RawSafetensors;

namespace DeltaKV.Tests.Weights;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void ReadsTensorsInPlace()
    {
        var path = directory.Write("a.safetensors", Build($"{{{Tensor("b", "U8", "3", 4, 7)},{Tensor("a", "I16", "2,1", 0, 4)}}}   ", 7));
        using var file = SafetensorsFile.Open(path);

        Assert.Equal([0x0100, 0x0302], file.Values<short>(file.Tensors["a"]).ToArray());
        Assert.Equal([5, 6], file.Bytes(file.Tensors["b"], 1, 2).ToArray());
        Assert.Equal([2L, 1], file.Tensors["a"].Shape.ToArray());
    }

    [Fact]
    public void ReadsMetadataScalarsAndEmptyTensors()
    {
        var header = $$$"""{"__metadata__":{"format":"pt"},{{{Tensor("scalar", "F64", "", 0, 8)}}},{{{Tensor("none", "F32", "0,5", 8, 8)}}}}""";
        using var file = SafetensorsFile.Open(directory.Write("a.safetensors", Build(header, 8)));

        Assert.Equal("pt", file.Header.Metadata["format"]);
        Assert.Equal(1, file.Tensors["scalar"].ElementCount);
        Assert.Equal(0, file.Values<float>(file.Tensors["none"]).Length);
    }

    [Fact]
    public void ReadsTheEmbeddedModel()
    {
        using var file = SafetensorsFile.Open(Path.Combine(TestModels.Needle, "model.safetensors"));
        var embedding = file.Tensors["model.embed_tokens.weight"];

        Assert.Equal(TensorDataType.BF16, embedding.Type);
        Assert.Equal([4096L, 384], embedding.Shape.ToArray());
        Assert.Contains(file.Values<ushort>(embedding).ToArray(), bits => bits != 0);
    }

    [Fact]
    public void WindowsStayInsideTheTensor()
    {
        using var file = SafetensorsFile.Open(directory.Write("a.safetensors", Build($"{{{Tensor("a", "U8", "4", 0, 4)}}}", 4)));
        var tensor = file.Tensors["a"];

        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes(tensor, 1, 4).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes(tensor, -1, 1).Length);
        Assert.Throws<ArgumentException>(() => file.Values<int>(tensor).Length);
    }

    [Fact]
    public void AClosedFileIsNotRead()
    {
        var file = SafetensorsFile.Open(directory.Write("a.safetensors", Build($"{{{Tensor("a", "U8", "4", 0, 4)}}}", 4)));
        var tensor = file.Tensors["a"];
        file.Dispose();
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => file.Bytes(tensor, 0, 1).Length);
    }

    public static TheoryData<string, string> BrokenHeaders => new()
    {
        { "[]", "does not start with '{'" },
        { "", "does not start with '{'" },
        { "{", "not valid JSON" },
        { "{} {}", "not valid JSON" },
        { """{"a":1}""", "not an object" },
        { """{"a":{"dtype":"U8","shape":[4]}}""", "lacks" },
        { """{"a":{"dtype":"U7","shape":[4],"data_offsets":[0,4]}}""", "unknown dtype 'U7'" },
        { """{"a":{"dtype":3,"shape":[4],"data_offsets":[0,4]}}""", "unknown dtype" },
        { """{"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "dtype occurs twice" },
        { """{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}""", "non-negative" },
        { """{"a":{"dtype":"U8","shape":[4.5],"data_offsets":[0,4]}}""", "non-negative" },
        { """{"a":{"dtype":"U8","shape":["4"],"data_offsets":[0,4]}}""", "non-negative" },
        { """{"a":{"dtype":"U8","shape":4,"data_offsets":[0,4]}}""", "not an array" },
        { """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}}""", "pair" },
        { """{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}""", "pair" },
        { """{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,4]}}""", "needs 3 bytes" },
        { """{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}""", "whole number of bytes" },
        { """{"a":{"dtype":"U8","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""", "overflows" },
        { """{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}""", "overflows" },
        { $"{{{Tensor("a", "U8", "4", 0, 4)},{Tensor("a", "U8", "4", 0, 4)}}}", "occurs twice" },
        { $"{{{Tensor("a", "U8", "3", 0, 3)},{Tensor("b", "U8", "2", 2, 4)}}}", "overlaps" },
        { $"{{{Tensor("a", "U8", "1", 0, 1)},{Tensor("b", "U8", "2", 2, 4)}}}", "hole" },
        { $"{{{Tensor("a", "U8", "3", 1, 4)}}}", "hole" },
        { $"{{{Tensor("a", "U8", "3", 0, 3)}}}", "cover 3 bytes" },
        { $"{{{Tensor("a", "U8", "5", 0, 5)}}}", "truncated" },
        { """{"__metadata__":{"a":1}}""", "not a string" },
        { """{"__metadata__":{"a":"1","a":"2"}}""", "occurs twice" },
        { """{"__metadata__":{},"__metadata__":{}}""", "occurs twice" },
        { """{"__metadata__":3}""", "not an object of strings" },
        { """{"\ud800":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "not valid JSON" },
    };

    [Theory]
    [MemberData(nameof(BrokenHeaders))]
    public void RefusesABrokenHeader(string header, string reason)
    {
        var path = directory.Write("a.safetensors", Build(header, 4));

        var exception = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path));
        Assert.Contains(reason, exception.Reason, StringComparison.Ordinal);
        Assert.Equal(path, exception.File);
    }

    [Fact]
    public void NamesTheTensorAtFault()
    {
        var path = directory.Write("a.safetensors", Build($"{{{Tensor("w.q", "U8", "5", 0, 5)}}}", 4));
        Assert.Equal("w.q", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Tensor);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void RefusesAFileWithoutALength(int length)
    {
        var path = directory.Write("a.safetensors", new byte[length]);
        Assert.Contains("less than the 8", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100_000_001UL, "more than the bound")]
    [InlineData(ulong.MaxValue, "more than the bound")]
    [InlineData(3UL, "truncated")]
    public void BoundsTheHeaderLength(ulong length, string reason)
    {
        var bytes = new byte[10];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        var path = directory.Write("a.safetensors", bytes);
        Assert.Contains(reason, Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void RecognisesAGitLfsPointer()
    {
        var path = directory.Write("a.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        Assert.Contains("git lfs pull", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesInvalidUtf8()
    {
        var path = directory.Write("a.safetensors", Build([(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)'}'], 0));
        Assert.Contains("UTF-8", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesAMissingFile() =>
        Assert.Contains("cannot be read", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(directory.File("none"))).Reason, StringComparison.Ordinal);

    [Fact]
    public void ReadsTensorsBeyondTwoGibibytes()
    {
        // A sparse file: only its last page is ever written.
        const long Length = (2L << 30) + 4096;
        var header = Build($"{{{Tensor("big", "U8", $"{Length}", 0, Length)}}}", 0);
        var path = directory.File("big.safetensors");
        using (var stream = File.Create(path))
        {
            stream.Write(header);
            stream.Position = header.Length + Length - 1;
            stream.WriteByte(42);
        }

        using var file = SafetensorsFile.Open(path);
        var tensor = file.Tensors["big"];
        Assert.Equal(42, file.Bytes(tensor, Length - 1, 1)[0]);
        Assert.Equal(0, file.Bytes(tensor, (2L << 30) - 8, 16)[15]);
    }
}
