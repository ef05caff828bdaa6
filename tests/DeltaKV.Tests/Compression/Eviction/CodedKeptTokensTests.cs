using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Compression.Kivi;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>Kept tokens that are coded: which they are, and what attention sees of them; random keys, chunks of any size.</summary>
[Collection(KernelCollection.Name)]
public sealed class CodedKeptTokensTests(KernelFixture device)
{
    private const int Prompt = 310;

    // Queries and weights pass through halves or bf16, and values of up to 1 through bf16.
    private const double Tolerance = 2e-2;

    public static TheoryData<string, int, int, int, int, int, int, int> Cases => new()
    {
        // Method, keys' bits, values' bits, sinks, recent, query heads, key heads, head size.
        { "snapkv:budget=150,window=8,kernel=5", 4, 4, 0, 32, 4, 2, 64 },
        { "snapkv:budget=150,window=16,kernel=1", 2, 8, 32, 16, 2, 1, 128 },
        { "snapkv:share=50", 4, 4, 0, 64, 4, 2, 64 },
        { "snapkv:budget=40,window=8", 4, 4, 0, 64, 4, 2, 64 },
        { "pyramidkv:budget=140,window=20,kernel=5", 4, 4, 0, 32, 4, 2, 64 },
        { "compresskv:budget=150", 4, 4, 0, 32, 4, 2, 64 },
        { "streaming-llm:budget=133", 4, 4, 0, 32, 4, 2, 64 },
        { "streaming-llm:share=50,sinks=0", 8, 4, 0, 0, 2, 2, 64 },
        { "kvzip:budget=150,chunk=128", 4, 4, 0, 32, 4, 2, 64 },
    };

    /// <summary>Attention sees the tokens that the policy alone would keep, as their codes are, in prompts and answers after the eviction; and their blocks are all that is held.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Are_those_of_the_policy_and_read_as_they_are_coded(string method, int keyBits, int valueBits, int sinks, int recent, int queryHeads, int keyHeads, int headDim)
    {
        var code = new KiviCode(keyBits, valueBits);
        Check(method, new CodedKvOptions { Sinks = sinks, Recent = recent }, new AttentionShape(queryHeads, keyHeads, headDim), null, code, _ => new ScalarKivi(code));
    }

    [Theory]
    [InlineData("snapkv:budget=150,window=8,kernel=5", 8, 16, 32, 4, 2, 64)]
    [InlineData("compresskv:share=50", 4, 0, 64, 2, 1, 128)]
    [InlineData("streaming-llm:budget=133", 8, 16, 16, 2, 2, 64)]
    public void May_be_records_of_codecs(string method, int bits, int sinks, int recent, int queryHeads, int keyHeads, int headDim)
    {
        var width = bits == 8 ? ChunkWidth.Bits8 : ChunkWidth.Bits4;
        Check(
            method, new CodedKvOptions { Sinks = sinks, Recent = recent }, new AttentionShape(queryHeads, keyHeads, headDim),
            HadamardCodec.Create(keyHeads, headDim, width, width), null, _ => new ScalarHadamard(bits, EvictionRun.Rope.Theta));
    }

    /// <summary>Codes of all heads of a token at once: keys are turned by the positions of the tokens, which go with them.</summary>
    [Theory]
    [InlineData("compresskv:budget=150", 4, 16, 32)]
    [InlineData("compresskv:share=50", 4, 0, 16)]
    [InlineData("compresskv:share=80", 4, 16, 16)]
    [InlineData("streaming-llm:budget=133", 4, 16, 16)]
    public void May_know_their_positions(string method, int bits, int sinks, int recent)
    {
        var shape = new AttentionShape(4, 2, 64);
        var policy = TestPolicies.Create(method, EvictionRun.LayerCount, shape.QueryHeads);
        var codec = Whole(HadamardCodec.Create(shape.KeyHeads, shape.HeadDim, ChunkWidth.Bits4, ChunkWidth.Bits4));
        var format = new CodedKvFormat(shape, [codec, codec], new CodedKvOptions { Sinks = sinks, Recent = recent });
        Check(method, new KeptFormat(format, policy.WhileDecoding ? policy.Sinks : 0, hasPositions: true), shape, _ => new ScalarHadamard(bits, EvictionRun.Rope.Theta, knowsPositions: true));
    }

    /// <summary>One layer quantised and one of records: blocks of two sizes.</summary>
    [Fact]
    public void May_be_coded_differently_from_layer_to_layer()
    {
        var (shape, code, options) = (new AttentionShape(4, 2, 64), new KiviCode(4, 4), new CodedKvOptions { Sinks = 32, Recent = 32 });
        var codec = HadamardCodec.Create(2, 64, ChunkWidth.Bits8, ChunkWidth.Bits8);
        Check(
            "pyramidkv:budget=140,window=20,kernel=5", new KeptFormat(new CodedKvFormat(shape, [codec, null], options, kivi: [null, code])), shape,
            layer => layer == 0 ? new ScalarHadamard(8, EvictionRun.Rope.Theta) : new ScalarKivi(code));
    }

    private void Check(string method, CodedKvOptions options, AttentionShape shape, LinearCodec? codec, KiviCode? code, Func<int, IScalarCode> scalar)
    {
        var policy = TestPolicies.Create(method, EvictionRun.LayerCount, shape.QueryHeads);
        var format = new CodedKvFormat(shape, [.. Enumerable.Repeat(codec, EvictionRun.LayerCount)], options, kivi: [.. Enumerable.Repeat(code, EvictionRun.LayerCount)]);
        Check(method, new KeptFormat(format, policy.WhileDecoding ? policy.Sinks : 0), shape, scalar);
    }

    /// <summary>
    /// A prompt that continues what was kept, and outgrows its budget: the layers are reconstructed, ranked and coded again. Eight bits lose little, so that attention is nearly that of the policy alone; a token
    /// in the wrong place, or at another position, would not be.
    /// </summary>
    [Theory]
    [InlineData("snapkv:budget=150,window=8,kernel=5", false)]
    [InlineData("compresskv:budget=150", true)]
    public void Are_coded_again_when_a_conversation_outgrows_them(string method, bool knowsPositions)
    {
        const int Longer = 560;
        var shape = new AttentionShape(4, 2, 64);
        var policy = TestPolicies.Create(method, EvictionRun.LayerCount, shape.QueryHeads);
        var codec = knowsPositions ? Whole(HadamardCodec.Create(2, 64, ChunkWidth.Bits8, ChunkWidth.Bits8)) : null;
        var code = knowsPositions ? null : new KiviCode(8, 8);
        var kept = new KeptFormat(new CodedKvFormat(shape, [codec, codec], new CodedKvOptions { Sinks = 0, Recent = 32 }, kivi: [code, code]), hasPositions: knowsPositions);
        using var plain = new EvictionRun(device, shape, policy, 640, seed: 32, prefixCaching: true);
        using var coded = new EvictionRun(device, shape, policy, 640, seed: 32, prefixCaching: true, kept);
        var seen = new Dictionary<(int, int), double[]>();
        plain.Attended = (_, layer, position, output) => seen[(layer, position)] = output;
        coded.Attended = (_, layer, position, output) => Numbers.AssertClose(
            seen[(layer, position)], [.. output.Select(value => (float)value)], 4e-2, 4e-2, $"layer {layer}, position {position}");
        foreach (var run in (EvictionRun[])[plain, coded])
        {
            var first = run.Admit(200, follows: false);
            run.Feed(first, 200, 128);
            var second = run.Continue(first, Longer);
            Assert.Equal(200, second.Cache.Length);
            run.Feed(second, Longer, 128);
            Assert.Equal(Longer, second.Cache.EvictedEnd);
            run.Feed(second, Longer + 3, 1);
            Assert.Equal(run == coded, second.Cache.Layers.All(layer => layer.HasCodes));
        }
    }

    /// <summary>The same code as one group.</summary>
    private static LinearCodec Whole(LinearCodec codec)
    {
        var width = codec.Width;
        var (down, up) = (new float[width * width], new float[width * width]);
        foreach (var group in codec.Groups)
        {
            for (var i = 0; i < group.Length; i++)
            {
                Array.Copy(group.Down, i * group.Length, down, ((group.Start + i) * width) + group.Start, group.Length);
                Array.Copy(group.Up, i * group.Length, up, ((group.Start + i) * width) + group.Start, group.Length);
            }
        }

        return codec with { Groups = [new CodeGroup(0, width, [.. codec.Groups.SelectMany(group => group.Chunks)], down, up)] };
    }

    private void Check(string method, KeptFormat kept, AttentionShape shape, Func<int, IScalarCode> scalar)
    {
        var policy = TestPolicies.Create(method, EvictionRun.LayerCount, shape.QueryHeads);
        using var plain = new EvictionRun(device, shape, policy, 640, seed: 31);
        using var coded = new EvictionRun(device, shape, policy, 640, seed: 31, kept: kept, scratchBytes: 1 << 20);
        var expected = plain.Admit(Prompt);
        var actual = coded.Admit(Prompt, follows: false);
        var account = new CodedAccount(shape, plain, expected.Cache, actual.Cache, scalar);
        foreach (var tokens in (int[])[170, 100, 39, 1])
            Step(tokens);
        while (actual.Cache.IsProbing)
            Step(actual.Cache.Probe.Length);
        Assert.Equal(Prompt, actual.Cache.EvictedEnd);
        // Single tokens, a fused prompt, one that is reconstructed, and on over a few borders.
        foreach (var tokens in (int[])[1, 1, 20, 66, 1, 33, 1, 64, 1, 32, 1])
            Step(Math.Min(tokens, actual.Cache.StepLimit));
        Assert.Contains(actual.Cache.Layers, layer => layer.HasCodes);
        Assert.Equal(plain.Format.Policy.WhileDecoding, actual.Cache.EvictedEnd > Prompt);
        Assert.Equal(coded.Cache.Usage, actual.Cache.Usage);
        Assert.Equal(actual.Cache.Layers.Sum(layer => layer.HeldCodes), coded.Cache.CodePools.Sum(pool => pool.HeldCount));
        Assert.Equal(actual.Cache.Layers.Sum(layer => layer.Held), coded.Cache.Pool.HeldCount);
        actual.Cache.Release();
        Assert.Equal(default, coded.Cache.Usage);

        void Step(int tokens)
        {
            var length = actual.Cache.Length;
            coded.Attended = actual.Cache.IsProbing ? null : (_, layer, position, output) =>
                Numbers.AssertClose(account.Attend(layer, position, length), [.. output.Select(value => (float)value)], Tolerance, Tolerance, $"layer {layer}, position {position}");
            coded.Step((actual, tokens));
            plain.Step((expected, tokens));
            Assert.Equal(expected.Cache.EvictedEnd, actual.Cache.EvictedEnd);
            Assert.Equal(expected.Cache.Layers.Select(layer => layer.Start), actual.Cache.Layers.Select(layer => layer.Start));
            if (!actual.Cache.IsProbing)
                account.Look();
        }
    }
}
