using System.Collections.Concurrent;
using System.Text.Json;
using DeltaKV.Tests.Support;
using DeltaKV.Tokenization;

namespace DeltaKV.Tests.Tokenization;

/// <summary>The tokenizers of the golden set, loaded once each, and its texts.</summary>
internal static class TokenizerFixtures
{
    private static readonly ConcurrentDictionary<string, Tokenizer> Loaded = new();

    internal static string[] Names { get; } = ["llama3-small", "qwen2-small", "gpt2-small", "tekken-small", "needle-16m"];

    internal static string[] Texts { get; } = JsonSerializer.Deserialize<string[]>(File.ReadAllText(RepositoryRoot.PathTo("tools", "golden", "texts.json")))!;

    internal static Tokenizer Tokenizer(string name) => Loaded.GetOrAdd(name, _ => DeltaKV.Tokenization.Tokenizer.Load(Path(name)));

    internal static string Path(string name) =>
        name == "needle-16m" ? RepositoryRoot.PathTo("models", name) : RepositoryRoot.Fixture("tokenizers", $"{name}.json");

    internal static JsonElement Golden(string name) =>
        JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Fixture("tokenizers", $"{name}.golden.json"))).RootElement;
}
