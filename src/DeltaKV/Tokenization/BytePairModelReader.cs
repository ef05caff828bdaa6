using System.Text.Json;

namespace DeltaKV.Tokenization;

/// <summary>
/// The <c>model</c> of a <c>tokenizer.json</c>: a byte-level BPE vocabulary and its merges, written as strings or as pairs.
/// </summary>
internal static class BytePairModelReader
{
    internal static (Vocabulary Vocabulary, MergeTable Merges, bool IgnoreMerges) Read(JsonElement model, IReadOnlyList<AddedToken> added)
    {
        // Files of early Hugging Face versions leave the type of a BPE model out.
        if (model.Optional("type")?.Text("model.type") is { } type and not "BPE")
            throw new TokenizerFormatException($"The model is '{type}'; only byte-level 'BPE' is supported.");
        RefuseOptions(model);

        var ids = ReadVocabulary(model.Required("vocab"));
        var vocabulary = new Vocabulary(ids, added);
        return (vocabulary, ReadMerges(model.Required("merges"), ids), model.Flag("ignore_merges"));
    }

    private static void RefuseOptions(JsonElement model)
    {
        if (model.Optional("dropout") is { } dropout && (dropout.ValueKind != JsonValueKind.Number || dropout.GetDouble() != 0))
            throw new TokenizerFormatException($"The model option 'dropout' is {dropout.GetRawText()}; encoding with dropout is not supported.");
        foreach (var option in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Optional(option)?.Text(option) is { Length: > 0 } text)
                throw new TokenizerFormatException($"The model option '{option}' is '{text}'; a byte-level model has none.");
        }

        if (model.Flag("byte_fallback"))
            throw new TokenizerFormatException("The model option 'byte_fallback' is set: this is a SentencePiece-style tokenizer, only byte-level BPE is supported.");
    }

    private static Dictionary<string, int> ReadVocabulary(JsonElement vocabulary)
    {
        if (vocabulary.ValueKind != JsonValueKind.Object)
            throw new TokenizerFormatException($"The field 'model.vocab' must be an object, found a {vocabulary.ValueKind}.");
        var ids = new Dictionary<string, int>();
        foreach (var entry in vocabulary.EnumerateObject())
        {
            if (!ids.TryAdd(entry.Name, entry.Value.Integer("model.vocab")))
                throw new TokenizerFormatException($"The vocabulary lists the token '{entry.Name}' twice.");
        }

        return ids;
    }

    private static MergeTable ReadMerges(JsonElement merges, Dictionary<string, int> ids)
    {
        var pairs = new List<(int, int, int)>();
        foreach (var entry in merges.Elements("model.merges"))
        {
            var (left, right) = ReadPair(entry);
            pairs.Add((IdOf(left), IdOf(right), IdOf(left + right)));
        }

        return new MergeTable(pairs);

        int IdOf(string token) => ids.TryGetValue(token, out var id)
            ? id
            : throw new TokenizerFormatException($"Merge {pairs.Count} needs the token '{token}', which the vocabulary lacks.");
    }

    private static (string Left, string Right) ReadPair(JsonElement entry)
    {
        var parts = entry.ValueKind == JsonValueKind.String
            ? entry.GetString()!.Split(' ')
            : [.. entry.Elements("model.merges").Select(part => part.Text("model.merges"))];
        return parts is [{ Length: > 0 } left, { Length: > 0 } right]
            ? (left, right)
            : throw new TokenizerFormatException($"A merge must be two tokens, found {entry.GetRawText()}.");
    }
}
