using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression;

public class KvMethodSpecTests
{
    [Fact]
    public void Reads_a_name_and_settings()
    {
        var spec = KvMethodSpec.Parse("Int4:recent=32, observers=2+5");
        Assert.Equal("int4", spec.Name);
        Assert.Equal(32, spec.Number("recent", 64));
        Assert.Equal(16, spec.Number("sinks", 16));
        Assert.Equal([2, 5], spec.Layers("observers", 8));
        Assert.Empty(spec.Layers("full", 8));
    }

    [Theory]
    [InlineData("int4:recent")]
    [InlineData("int4:=3")]
    [InlineData("int4:recent=1,recent=2")]
    [InlineData("int4:")]
    public void Refuses_other_forms(string text) => Assert.Throws<ArgumentException>(() => KvMethodSpec.Parse(text));

    [Theory]
    [InlineData("zip", "zip")]
    [InlineData("full:recent=3", "recent")]
    [InlineData("int4:depth=3", "depth")]
    [InlineData("int4:recent=many", "many")]
    [InlineData("int4:full=0+8", "0 to 7")]
    [InlineData("int4:bits=5", "16, 8 or 4")]
    [InlineData("int4:search=often", "often")]
    [InlineData("int4:prefill=-5", "-5")]
    [InlineData("int4:hot=some", "some")]
    [InlineData("int4:heads=all", "'shared' or 'each'")]
    [InlineData("quest:recent=5", "recent")]
    [InlineData("snapkv+zip", "'snapkv+zip'")]
    [InlineData("snapkv+kivi-4+int4", "names 3 methods")]
    [InlineData("kivi-4+snapkv", "'snapkv+kivi-4'")]
    [InlineData("deltakv+kivi-4", "deltakv:fulllayers=kivi4")]
    [InlineData("full+kivi-4", "'kivi-4' alone")]
    [InlineData("quest+kivi-4", "kivi-4:observers")]
    [InlineData("snapkv+streaming-llm", "both delete")]
    [InlineData("snapkv+full", "'snapkv' alone")]
    [InlineData("snapkv+quest", "chooses among all tokens")]
    [InlineData("h2o+kivi-4", "'snapkv+kivi-4'")]
    [InlineData("snapkv+int4:neighbours=2", "differences from other tokens")]
    [InlineData("snapkv+kivi-4:first=recomputed", "recomputes the first layer")]
    [InlineData("snapkv+deltakv", "'compresskv+deltakv'")]
    [InlineData("snapkv+kivi-4:share=25", "'snapkv:share=25+kivi-4'")]
    [InlineData("snapkv+kivi-4:window=8", "window")]
    [InlineData("snapkv:recent=5+kivi-4", "recent")]
    [InlineData("kvzip+int8:full=0+1,fulllayers=kivi4", "differ in size")]
    [InlineData("quest:dense=-1", "negative")]
    [InlineData("omnikv:observers=9", "0 to 7")]
    [InlineData("kivi-4:keys=3", "8, 4 or 2")]
    [InlineData("kivi-4:hadamard=yes", "true or false")]
    [InlineData("int4:fulllayers=int3", "kivi8")]
    [InlineData("int4:first=stored", "coded or recomputed")]
    [InlineData("int4:scales=head", "chunk or token")]
    [InlineData("int4:recent=-3", "'recent' of 'int4' is -3, expected 0 or more")]
    [InlineData("kivi-4:sinks=-1", "'sinks' of 'kivi-4' is -1")]
    [InlineData("int4:neighbours=9", "expected 0 to 4")]
    [InlineData("int4:observers=2,share=250", "'share' of 'int4' is 250, expected 0 to 100 percent")]
    [InlineData("quest:top=-1", "'top' of 'quest' is -1")]
    [InlineData("omnikv:observers=2,share=nan", "0 to 100 percent")]
    [InlineData("int4:top=512", "no observation layers")]
    [InlineData("kivi-4:prefill=64", "no observation layers")]
    [InlineData("snapkv:share=25+origami", "none is called 'origami'")]
    [InlineData("full:recent=64", "it has none")]
    [InlineData(" ", "is empty")]
    public void Refuses_what_a_method_does_not_know_and_says_so(string text, string named)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => Resolve(text));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    // Per layer of 512 values: codes, and 4 bytes of scale per chunk of 16 bytes.
    [InlineData("identity", 8192)]
    [InlineData("int8", 5120)]
    [InlineData("int4", 2560)]
    [InlineData("int4-2", 1920)]
    // Four ids make 336 bytes of 328; every tenth token is a reference of 1024 bytes and its norm. 1638 of them are few enough for an exact search, unless told otherwise.
    [InlineData("int4:neighbours=4", (8 * 336) + 823)]
    [InlineData("int4:neighbours=4,search=exact", (8 * 336) + 823)]
    [InlineData("int4:neighbours=4,search=1000", (8 * 336) + 823 + 211)]
    // A raw layer keeps its 1024 bytes.
    [InlineData("int4:full=0", 3264)]
    // A recomputed first layer keeps the token's id; one scale per token, in 16 bytes.
    [InlineData("int4:first=recomputed", (7 * 320) + 4)]
    [InlineData("int4:scales=token", 8 * 272)]
    // Per layer of four heads of 64: codes, and 4 bytes of scale per 32 numbers.
    [InlineData("kivi-8", 4608)]
    [InlineData("kivi-4", 2560)]
    [InlineData("kivi-2", 1536)]
    [InlineData("kivi-2:keys=4", 2048)]
    [InlineData("kivi-2:hadamard=true", 1536)]
    [InlineData("kivi-4:first=recomputed", (7 * 320) + 4)]
    // Three bits, and 4 bytes of scale per 64 numbers; one scale per token, in 16 bytes.
    [InlineData("int3", 8 * 224)]
    [InlineData("int3:first=recomputed,scales=token", (7 * 208) + 4)]
    [InlineData("int3:neighbours=2,full=0", (7 * 240) + 1024 + 720)]
    [InlineData("int2", 1280)]
    [InlineData("kivi-4:full=0", 3264)]
    [InlineData("int8:full=0,fulllayers=kivi4", 4800)]
    public void Methods_know_their_bytes_per_token(string text, long bytes) =>
        Assert.Equal(bytes, Assert.IsType<CodedKvMethod>(Resolve(text)).BytesPerToken);

    [Theory]
    [InlineData("snapkv:share=25+kivi-4", "snapkv:share=25", "kivi-4")]
    [InlineData("snapkv + kivi4:full=0+1", "snapkv ", " kivi4:full=0+1")]
    [InlineData("kivi-4:observers=2+5,top=512", "kivi-4:observers=2+5,top=512")]
    [InlineData("KvZip:chunk=64+KIVI-2:recent=32", "KvZip:chunk=64", "KIVI-2:recent=32")]
    public void A_plus_sign_before_a_name_joins_methods(string text, params string[] parts) => Assert.Equal(parts, KvComposition.Split(text));

    [Theory]
    // A quarter of a token's codes over all layers.
    [InlineData("snapkv:share=25+kivi-4", 2560 / 4)]
    [InlineData("pyramidkv:share=50+kivi8", 4608 / 2)]
    public void Compositions_know_what_they_keep_of_a_token(string text, double bytes) => Assert.InRange(Resolve(text)!.BytesPerToken, 0.99 * bytes, 1.01 * bytes);

    [Theory]
    // 1024 bytes of keys and values per layer; a sixteenth more for pages.
    [InlineData("quest", 8 * 1088)]
    [InlineData("quest:top=64,dense=0", 8 * 1088)]
    [InlineData("omnikv:observers=2+5", 8 * 1024)]
    public void Methods_that_read_less_store_everything(string text, long bytes) => Assert.Equal(bytes, Resolve(text)!.BytesPerToken);

    [Fact]
    public void Three_bits_are_refused_for_heads_that_groups_of_64_do_not_fit()
    {
        var config = ModelConfig.Load(TestModels.Needle) with { HeadDim = 96 };
        var error = Assert.Throws<NotSupportedException>(() => KvMethods.Resolve("int3", config, null));
        Assert.Contains("96", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_uncompressed_cache_is_no_method() => Assert.Null(Resolve("full"));

    [Fact]
    public void Auto_takes_the_codec_beside_the_weights_and_nothing_without()
    {
        Assert.Equal(
            Assert.IsType<CodedKvMethod>(Resolve("deltakv")).BytesPerToken, Assert.IsType<CodedKvMethod>(Resolve("auto")).BytesPerToken);
        Assert.Null(KvMethods.Resolve("auto", ModelConfig.Load(TestModels.Needle), null));
    }

    private static IKvMethod? Resolve(string text)
    {
        using var weights = ModelWeights.Open(TestModels.Needle);
        return KvMethods.Resolve(text, ModelConfig.Load(TestModels.Needle), weights);
    }
}
