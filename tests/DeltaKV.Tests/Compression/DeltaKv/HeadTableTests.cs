using System.Collections.Immutable;
using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.DeltaKv;

public sealed class HeadTableTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [Theory]
    [InlineData("cccc")]
    [InlineData("cccc/wwcw/rc84/2222")]
    public void A_table_is_the_text_of_its_text(string text) => Assert.Equal(text, HeadTable.Parse(text).ToString());

    [Theory]
    [InlineData("cxcc")]
    [InlineData("no/such/file.safetensors")]
    public void Other_text_is_refused(string text) => Assert.Contains(text, Assert.Throws<ArgumentException>(() => HeadTable.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_table_of_another_model_is_refused_with_both_sides_named()
    {
        var table = HeadTable.Parse("cw/wc/cc");
        table.RequireModel(3, 2);
        foreach (var (layers, heads) in ((int, int)[])[(4, 2), (3, 8)])
        {
            var message = Assert.Throws<CodecMismatchException>(() => table.RequireModel(layers, heads)).Message;
            Assert.Contains("3 layers of 2 heads", message, StringComparison.Ordinal);
            Assert.Contains($"{layers} of {heads}", message, StringComparison.Ordinal);
        }

        Assert.Throws<CodecMismatchException>(() => HeadTable.Parse("cw/wcc/cc").RequireModel(3, 2));
    }

    /// <summary>64 elements of keys and of values: 64 bytes and 4 scales in 4 bits, 128 and 8 in 8 bits, 256 in 16 bits; padded to 16.</summary>
    [Theory]
    [InlineData("cccc", 320)]
    [InlineData("4444", 320)]
    [InlineData("cwcc", 240)]
    [InlineData("wwcw", 80)]
    [InlineData("w8ww", 160)]
    [InlineData("wwrw", 256)]
    [InlineData("2wr8", 464)]
    [InlineData("w3ww", 64)]
    [InlineData("wwww", 0)]
    public void Only_what_heads_keep_takes_bytes(string row, int bytes)
    {
        var codec = HeadTable.Apply(Row(row), HadamardCodec.Create(4, 64, ChunkWidth.Bits4, ChunkWidth.Bits4));
        codec.Validate();
        Assert.Equal(bytes, RecordLayout.Of(codec).Bytes);
        Assert.Equal(row.Replace('c', '4'), HeadTable.Text(HeadTable.Of(new CodecLayer(LayerTreatment.Coded, codec), 4)));
        Assert.Equal(row.Count(letter => letter != 'w'), codec.HistoryHeads);
    }

    [Fact]
    public void A_layer_whose_heads_are_all_coded_is_the_same()
    {
        var codec = CodecSamples.Create("klt", 4, 64, 0, 1);
        Assert.Same(codec, HeadTable.Apply(Row("cccc"), codec));
    }

    [Fact]
    public void A_transform_neither_sees_nor_writes_heads_that_are_not_its_own()
    {
        var codec = CodecSamples.Create("klt:cwrc", 4, 64, 0, 1);
        codec.Validate();
        var (dense, width) = (codec.Groups[0], 2 * 4 * 64);
        Assert.Equal([0, 128, 384], codec.Groups.Select(group => group.Start));
        for (var i = 0; i < dense.Down.Length; i++)
        {
            var isOwn = i % width / 64 % 4 is 0 or 3;
            Assert.Equal(isOwn, dense.Down[i] != 0);
            Assert.Equal(isOwn, dense.Up[i] != 0);
        }

        Assert.Equal("cwrc", HeadTable.Text(HeadTable.Of(new CodecLayer(LayerTreatment.Coded, codec), 4)));
    }

    [Fact]
    public void A_transform_has_no_bits_of_single_heads() =>
        Assert.Contains("stores no steps", Assert.Throws<ArgumentException>(() => CodecSamples.Create("klt:c8", 2, 64, 0, 1)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("hadamard4:wwcw")]
    [InlineData("klt:cwrc")]
    [InlineData("hadamard4:wwww")]
    public void A_table_is_saved_with_its_codec(string name)
    {
        var codec = Codec(CodecSamples.Create(name, 4, 64, 0, 1));
        CodecFile.Save(codec, _path);
        var loaded = CodecFile.Load(_path);
        Assert.Equal(HeadTable.Of(codec).ToString(), HeadTable.Of(loaded).ToString());
        Assert.Equal(codec.BytesPerToken, loaded.BytesPerToken);
        Assert.Equal(codec.Layers[1].Codec!.Groups.Select(group => (group.Start, group.Length)), loaded.Layers[1].Codec!.Groups.Select(group => (group.Start, group.Length)));
    }

    [Fact]
    public void A_table_of_more_heads_than_the_model_has_is_refused()
    {
        CodecFile.Save(Codec(CodecSamples.Create("hadamard4:wwcw", 4, 64, 0, 1)), _path);
        var bytes = File.ReadAllBytes(_path);
        var at = bytes.AsSpan().IndexOf(":[0,1,3]"u8);
        Assert.True(at > 0);
        ":[0,1,7]"u8.CopyTo(bytes.AsSpan(at));
        File.WriteAllBytes(_path, bytes);
        var message = Assert.Throws<CodecMismatchException>(() => CodecFile.Load(_path)).Message;
        Assert.Contains("head 7", message, StringComparison.Ordinal);
        Assert.Contains("4 key/value heads", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Integers_take_a_table_as_text_or_that_of_a_codec()
    {
        var config = ModelConfig.Load(TestModels.Needle);
        CodedKvMethod Method(string text) => (CodedKvMethod)KvMethods.Resolve(text, config, null)!;
        var table = string.Join('/', Enumerable.Range(0, 8).Select(layer => layer % 2 == 0 ? "wwww" : "cwcw"));
        CodecFile.Save(
            Codec(CodecSamples.Create("klt", 4, 64, 0, 1)) with
            {
                Model = new ModelFingerprint("Llama", 8, 4, 64, "0123456789abcdef"),
                Layers = [.. HeadTable.Parse(table).Layers.Select(row => new CodecLayer(LayerTreatment.Coded, HeadTable.Apply(row, CodecSamples.Create("klt", 4, 64, 0, 1))))],
            },
            _path);

        // Of 32 heads 8 keep codes; the first layer, recomputed, would keep none in any case.
        var all = Method("int4").Format.CodeBlockBytes;
        Assert.Equal(all / 4, Method($"int4:table={table}").Format.CodeBlockBytes);
        Assert.Equal(all / 4, Method($"int4:table={_path}").Format.CodeBlockBytes);
        Assert.Equal(0UL, Method($"int4:first=recomputed,table={table}").Format.WindowHeads(0));
        var message = Assert.Throws<CodecMismatchException>(() => Method("int4:table=cccc/wwww")).Message;
        Assert.Contains("2 layers of 4 heads", message, StringComparison.Ordinal);
        Assert.Contains("8 of 4", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_without_history_cannot_observe()
    {
        var codec = Codec(CodecSamples.Create("hadamard4:wwww", 4, 64, 0, 1));
        var shape = new AttentionShape(4, 4, 64);
        codec.Format(shape, codec.Options, [1]);
        var message = Assert.Throws<ArgumentException>(() => codec.Format(shape, codec.Options with { Selection = new(64, 0) }, [1])).Message;
        Assert.Contains("Layer 1", message, StringComparison.Ordinal);
    }

    public void Dispose() => File.Delete(_path);

    private static ImmutableArray<HeadTreatment> Row(string text) => HeadTable.Parse(text).Layers.Single();

    private static DeltaKvCodec Codec(LinearCodec codec) => new()
    {
        Model = new ModelFingerprint("Llama", 2, 4, 64, "0123456789abcdef"),
        Layers = [new CodecLayer(LayerTreatment.Recomputed), new CodecLayer(LayerTreatment.Coded, codec)],
    };
}
