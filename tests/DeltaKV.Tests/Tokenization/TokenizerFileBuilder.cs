using System.Text.Json.Nodes;
using DeltaKV.Tests.Support;
using DeltaKV.Tokenization;
using DeltaKV.Tokenization.Splitters;

namespace DeltaKV.Tests.Tokenization;

/// <summary>A small valid <c>tokenizer.json</c> that a test bends in one place.</summary>
internal sealed class TokenizerFileBuilder
{
    internal TokenizerFileBuilder(params string[] merges)
    {
        var vocabulary = new JsonObject();
        for (var value = 0; value < 256; value++)
            vocabulary[ByteLevelAlphabet.ToCharacter((byte)value).ToString()] = value;
        foreach (var merge in merges)
            vocabulary.TryAdd(merge.Replace(" ", "", StringComparison.Ordinal), vocabulary.Count);
        Root = new JsonObject
        {
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = SplitOn(KnownPatterns.Qwen2),
            ["post_processor"] = null,
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. merges.Select(merge => JsonValue.Create(merge))]),
            },
        };
    }

    internal JsonObject Root { get; }

    internal JsonObject Model => (JsonObject)Root["model"]!;

    internal static JsonObject SplitOn(string pattern) => (JsonObject)JsonNode.Parse($$"""
        {"type": "Sequence", "pretokenizers": [
          {"type": "Split", "pattern": {"Regex": {{JsonValue.Create(pattern).ToJsonString()}}}, "behavior": "Isolated", "invert": false},
          {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
        """)!;

    internal TokenizerFileBuilder Add(int id, string content, bool special = true, bool lstrip = false, bool rstrip = false, bool normalized = false)
    {
        ((JsonArray)Root["added_tokens"]!).Add(new JsonObject
        {
            ["id"] = id,
            ["content"] = content,
            ["single_word"] = false,
            ["lstrip"] = lstrip,
            ["rstrip"] = rstrip,
            ["normalized"] = normalized,
            ["special"] = special,
        });
        return this;
    }

    internal Tokenizer Load()
    {
        using var directory = new TemporaryDirectory();
        return Tokenizer.Load(directory.Write("tokenizer.json", Root.ToJsonString()));
    }
}
