using DeltaKV.Compression;
using DeltaKV.Compression.Eviction;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Tests.Model;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>Real forward passes over an evicting cache.</summary>
public class EvictionModelTests
{
    private const string Model = "llama";

    public static TheoryData<string> Methods => ["streaming-llm:budget=1000", "snapkv:budget=1000,window=8", "snapkv:share=100", "pyramidkv:share=100", "pyramidkv:budget=210", "compresskv:budget=210", "compresskv:share=100", "h2o:budget=210", "kvzip:share=100"];

    /// <summary>Prompt in two chunks, then token by token: not a bit differs.</summary>
    [Theory, AcceleratorMemberData(nameof(Methods))]
    public void A_budget_of_at_least_the_length_is_exactly_the_full_cache(TestDevice device, string method)
    {
        using var full = Open(device, null);
        using var evicting = Open(device, method);
        var tokens = Tokens(210, full.Config.VocabularySize);
        Assert.Equal(Run(full, tokens), Run(evicting, tokens));
    }

    public static TheoryData<string, string, int> Compositions => new()
    {
        { "snapkv:budget=1000+kivi-4:recent=32", "kivi-4:recent=32", 0 },
        { "streaming-llm:budget=1000+kivi-8", "kivi-8", 1 << 20 },
        { "pyramidkv:share=100+kivi-4:recent=16,sinks=32", "kivi-4:recent=16,sinks=32", 1 << 20 },
        { "kvzip:share=100+kivi-2:hadamard=true,full=1", "kivi-2:hadamard=true,full=1", 0 },
        { "snapkv:budget=1000+int4", "int4", 1 << 20 },
        { "streaming-llm:budget=1000+int8:first=recomputed", "int8:first=recomputed", 1 << 20 },
        { "pyramidkv:share=100+int8:scales=token,recent=32,full=1,fulllayers=kivi4", "int8:scales=token,recent=32,full=1,fulllayers=kivi4", 0 },
    };

    /// <summary>Nothing is deleted: every token is coded when, and as, it would be without the policy.</summary>
    [Theory, AcceleratorMemberData(nameof(Compositions))]
    public void A_budget_of_at_least_the_length_is_exactly_the_code_alone(TestDevice device, string composition, string code, int scratchBytes)
    {
        using var alone = Open(device, code, scratchBytes);
        using var composed = Open(device, composition, scratchBytes);
        var tokens = Tokens(210, alone.Config.VocabularySize);
        Assert.Equal(Run(alone, tokens), Run(composed, tokens));
        // Where codes go by tokens' positions, these are stored, too.
        Assert.InRange(composed.Usage.LatentBytes, alone.Usage.LatentBytes, alone.Usage.LatentBytes + (code.Contains("recomputed", StringComparison.Ordinal) ? composed.Config.LayerCount * 210 * sizeof(int) : 0));
    }

    private static List<float[]> Run(ModelHarness<BFloat16> harness, int[] tokens)
    {
        List<float[]> logits = [.. harness.Run(tokens.AsSpan(0, 70)), .. harness.Run(tokens.AsSpan(70, 121))];
        foreach (var token in tokens.AsSpan(191))
            logits.AddRange(harness.Run([token], decode: true));
        return logits;
    }

    internal static int[] Tokens(int count, int vocabulary)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }

    private static ModelHarness<BFloat16> Open(TestDevice device, string? method)
    {
        var accelerator = TestAccelerators.Get(device);
        return new ModelHarness<BFloat16>(
            accelerator,
            GoldenLogitsTests.Directory(Model),
            256,
            shape => new BFloat16Kernels(accelerator, shape, 8),
            method is null ? null : (stream, config, weights, kernels) =>
            {
                var limits = new KvLimits(4, 256, 256, 0);
                var kv = new EvictionMethod(config, TestPolicies.Create(method, config.LayerCount, config.HeadCount));
                return kv.Open(new KvMethodContext(stream, config, weights, kernels, kv.FixedBytes(limits) + (256 * config.KvBytesPerToken), limits, PrefixCaching: false));
            });
    }

    private static ModelHarness<BFloat16> Open(TestDevice device, string method, int scratchBytes)
    {
        var accelerator = TestAccelerators.Get(device);
        return new ModelHarness<BFloat16>(
            accelerator,
            GoldenLogitsTests.Directory(Model),
            256,
            shape => new BFloat16Kernels(accelerator, shape, 8),
            (stream, config, weights, kernels) =>
            {
                var limits = new KvLimits(4, 256, 256, scratchBytes);
                var kv = KvMethods.Resolve(method, config, null)!;
                return kv.Open(new KvMethodContext(stream, config, weights, kernels, kv.FixedBytes(limits) + (256 * config.KvBytesPerToken), limits, PrefixCaching: false));
            });
    }
}
