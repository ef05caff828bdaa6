using System.Text.Json;

namespace DeltaKV.Tokenization;

/// <summary>
/// The ids the post-processor puts before and after a text when special tokens are asked for, such as <c>&lt;|begin_of_text|&gt;</c>.
/// </summary>
internal sealed record SpecialTokenFrame(int[] Prefix, int[] Suffix)
{
    private static readonly SpecialTokenFrame Empty = new([], []);

    internal static SpecialTokenFrame Read(JsonElement? postProcessor)
    {
        if (postProcessor is not { } part)
            return Empty;
        return part.TypeName() switch
        {
            "ByteLevel" => Empty, // Only moves offsets.
            "TemplateProcessing" => ReadTemplate(part),
            "Sequence" => part.Required("processors").Elements("processors").Aggregate(Empty, (inner, next) => Read(next).Around(inner)),
            var other => throw new TokenizerFormatException($"The post_processor '{other}' is not supported; supported are ByteLevel, TemplateProcessing and Sequence."),
        };
    }

    private SpecialTokenFrame Around(SpecialTokenFrame inner) => new([.. Prefix, .. inner.Prefix], [.. inner.Suffix, .. Suffix]);

    private static SpecialTokenFrame ReadTemplate(JsonElement template)
    {
        var prefix = new List<int>();
        var suffix = new List<int>();
        var seenText = false;
        foreach (var piece in template.Required("single").Elements("single"))
        {
            if (piece.Optional("SpecialToken") is { } special)
                (seenText ? suffix : prefix).AddRange(IdsOf(template, special.Required("id").Text("id")));
            else if (piece.Optional("Sequence") is not null && !seenText)
                seenText = true;
            else
                throw new TokenizerFormatException($"The post_processor 'TemplateProcessing' has the piece {piece.GetRawText()}; expected one Sequence among SpecialTokens.");
        }

        return seenText
            ? new SpecialTokenFrame([.. prefix], [.. suffix])
            : throw new TokenizerFormatException("The post_processor 'TemplateProcessing' drops the text: its 'single' has no Sequence.");
    }

    private static IEnumerable<int> IdsOf(JsonElement template, string name) =>
        template.Required("special_tokens").Required(name).Required("ids").Elements("ids").Select(id => id.Integer("ids"));
}
