using System.Text.Json;
using DeltaKV.Tokenization.Splitters;

namespace DeltaKV.Tokenization;

/// <summary>
/// The <c>normalizer</c> and <c>pre_tokenizer</c> of a <c>tokenizer.json</c>. What has no exact scanner here is refused by name.
/// </summary>
internal static class PipelineReader
{
    /// <summary>Whether text is normalised to form C, the only normaliser supported.</summary>
    internal static bool ReadNormalizer(JsonElement? normalizer)
    {
        if (normalizer is not { } part)
            return false;
        return part.TypeName() switch
        {
            "NFC" => true,
            "Sequence" => part.Required("normalizers").Elements("normalizers").Select(inner => ReadNormalizer(inner)).ToList().Contains(true),
            var other => throw new TokenizerFormatException($"The normalizer '{other}' is not supported; supported are NFC and none."),
        };
    }

    internal static WordSplitter ReadPreTokenizer(JsonElement? preTokenizer)
    {
        if (preTokenizer is not { } part)
            throw new TokenizerFormatException("There is no pre_tokenizer; expected a byte-level one ('ByteLevel', or 'Sequence' of 'Split' and 'ByteLevel').");

        var steps = part.TypeName() == "Sequence" ? [.. part.Required("pretokenizers").Elements("pretokenizers")] : (JsonElement[])[part];
        switch (steps.Select(step => step.TypeName()).ToArray())
        {
            case ["ByteLevel"]:
                CheckByteLevel(steps[0], splits: true);
                return new Gpt2Splitter();
            case ["Split", "ByteLevel"]:
                CheckByteLevel(steps[1], splits: false);
                return ReadSplit(steps[0]);
            case var types:
                throw new TokenizerFormatException(
                    $"The pre_tokenizer [{string.Join(", ", types)}] is not supported; supported are 'ByteLevel' alone and 'Split' followed by 'ByteLevel'.");
        }
    }

    private static void CheckByteLevel(JsonElement step, bool splits)
    {
        // Both options default to true in the reference implementation.
        if (step.Optional("add_prefix_space") is not { ValueKind: JsonValueKind.False })
            throw new TokenizerFormatException("The pre_tokenizer 'ByteLevel' has add_prefix_space set, which is not supported.");
        var usesRegex = step.Optional("use_regex") is not { ValueKind: JsonValueKind.False };
        if (usesRegex != splits)
        {
            throw new TokenizerFormatException(splits
                ? "The pre_tokenizer 'ByteLevel' stands alone with use_regex off, so text would not be split into words; that is not supported."
                : "The pre_tokenizer 'ByteLevel' after 'Split' has use_regex set; splitting twice is not supported.");
        }
    }

    private static WordSplitter ReadSplit(JsonElement step)
    {
        var behavior = step.Required("behavior").Text("behavior");
        if (behavior != "Isolated" || step.Flag("invert"))
            throw new TokenizerFormatException($"The pre_tokenizer 'Split' has behavior '{behavior}', invert {step.Flag("invert")}; supported is 'Isolated', not inverted.");

        var pattern = step.Required("pattern");
        if (pattern.Optional("Regex") is not { } regex)
            throw new TokenizerFormatException($"The pre_tokenizer 'Split' splits on {pattern.GetRawText()}; supported are the known regular expressions.");
        return KnownPatterns.Find(regex.Text("Regex"))
            ?? throw new TokenizerFormatException(
                $"The pre_tokenizer 'Split' has the unknown pattern '{regex.GetString()}'; known are those of Llama 3, Qwen 2 to 3, GPT-2 and Mistral's Tekken.");
    }
}
