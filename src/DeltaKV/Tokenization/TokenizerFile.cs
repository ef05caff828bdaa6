using System.Text.Json;
using DeltaKV.Tokenization.Normalization;
using DeltaKV.Tokenization.Splitters;

namespace DeltaKV.Tokenization;

/// <summary>What a <c>tokenizer.json</c> says, checked: everything in it is either understood or refused by name.</summary>
internal sealed record TokenizerFile(
    Vocabulary Vocabulary,
    MergeTable Merges,
    bool IgnoreMerges,
    IReadOnlyList<AddedToken> AddedTokens,
    bool NormalizesToFormC,
    WordSplitter Splitter,
    SpecialTokenFrame Frame)
{
    internal static TokenizerFile Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            using var document = JsonDocument.Parse(stream);
            return Parse(document.RootElement);
        }
        catch (JsonException exception)
        {
            throw new TokenizerFormatException($"{path} is not valid JSON: {exception.Message}", exception);
        }
        catch (TokenizerFormatException exception)
        {
            throw new TokenizerFormatException($"{path}: {exception.Message}", exception);
        }
    }

    private static TokenizerFile Parse(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new TokenizerFormatException($"The file holds a JSON {root.ValueKind}; expected the object of a Hugging Face tokenizer.json.");

        var normalizes = PipelineReader.ReadNormalizer(root.Optional("normalizer"));
        var added = ReadAddedTokens(root, normalizes);
        var model = BytePairModelReader.Read(root.Required("model"), added);
        return new TokenizerFile(
            model.Vocabulary,
            model.Merges,
            model.IgnoreMerges,
            added,
            normalizes,
            PipelineReader.ReadPreTokenizer(root.Optional("pre_tokenizer")),
            SpecialTokenFrame.Read(root.Optional("post_processor")));
    }

    private static List<AddedToken> ReadAddedTokens(JsonElement root, bool normalizes)
    {
        var tokens = new List<AddedToken>();
        foreach (var entry in root.Optional("added_tokens")?.Elements("added_tokens") ?? [])
        {
            var content = entry.Required("content").Text("added_tokens.content");
            if (entry.Flag("single_word"))
                throw new TokenizerFormatException($"Added token '{content}' has single_word set, which is not supported.");
            var isNormalized = entry.Flag("normalized");
            tokens.Add(new AddedToken(
                entry.Required("id").Integer("added_tokens.id"),
                content,
                isNormalized && normalizes ? CanonicalComposer.Normalize(content).ToString() : content,
                entry.Flag("special"),
                entry.Flag("lstrip"),
                entry.Flag("rstrip"),
                isNormalized));
        }

        return tokens;
    }
}
