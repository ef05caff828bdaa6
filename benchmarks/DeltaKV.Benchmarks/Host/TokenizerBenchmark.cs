using System.Text;
using BenchmarkDotNet.Attributes;
using DeltaKV.Tokenization;

namespace DeltaKV.Benchmarks.Host;

/// <summary>Encoding and decoding a megabyte of English with needle-16m, cache warm; floor for encoding: 5 MB/s on one core.</summary>
[MemoryDiagnoser]
public class TokenizerBenchmark
{
    private readonly Tokenizer tokenizer = Tokenizer.Load(Path.Combine(Root(), "models", "needle-16m"));
    private readonly string text = Megabyte();
    private int[] ids = [];

    [GlobalSetup]
    public void Encode() => ids = tokenizer.Encode(text);

    [Benchmark]
    public int[] EncodeMegabyte() => tokenizer.Encode(text);

    [Benchmark]
    public string DecodeMegabyte() => tokenizer.Decode(ids);

    private static string Megabyte()
    {
        var source = File.ReadAllText(Path.Combine(Root(), "src", "DeltaKV", "Evaluation", "filler.txt"));
        var builder = new StringBuilder();
        while (builder.Length < 1_000_000)
            builder.Append(source);
        return builder.ToString(0, 1_000_000);
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "DeltaKV.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException($"No DeltaKV.sln above {AppContext.BaseDirectory}.");
    }
}
