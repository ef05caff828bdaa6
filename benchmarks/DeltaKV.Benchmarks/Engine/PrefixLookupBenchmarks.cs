using BenchmarkDotNet.Attributes;
using DeltaKV.Cache;

namespace DeltaKV.Benchmarks.Engine;

/// <summary>Admission of a long prompt that is cached already: every block is hashed, found, compared and taken. Floor: reading 4 bytes per token twice.</summary>
[MemoryDiagnoser]
public class PrefixLookupBenchmarks
{
    private PagedKvCache cache = null!;
    private ISequenceCache sequence = null!;
    private int[] prompt = [];

    /// <summary>Tokens of the prompt.</summary>
    [Params(4096, 131072)]
    public int Tokens { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        prompt = [.. Enumerable.Range(0, Tokens).Select(i => i * 31 % 32000)];
        cache = new PagedKvCache(Tokens / 64 * 2, 64, 1, new NoBlockStore());
        sequence = cache.Open();
        sequence.TryAdmit(prompt);
        sequence.TryReserve(Tokens - sequence.Length);
        sequence.Commit(prompt);
        sequence.Release();
    }

    [Benchmark]
    public int Admit()
    {
        sequence.TryAdmit(prompt);
        var length = sequence.Length;
        sequence.Release();
        return length;
    }
}
