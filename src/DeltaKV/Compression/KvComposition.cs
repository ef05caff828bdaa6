using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Eviction;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Weights;

namespace DeltaKV.Compression;

/// <summary>Two methods in one, as <c>snapkv:share=25+kivi-4</c>: the first deletes tokens, the second codes the others. Each part has its own settings.</summary>
internal static class KvComposition
{
    // Other spellings of names.
    private static readonly string[] Aliases = ["kivi8", "kivi4", "kivi2"];

    /// <summary>The parts of a text; a plus sign parts them where a method's name follows, so that lists of layers stay whole.</summary>
    internal static string[] Split(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var names = KvMethods.Names.Concat(Aliases).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var parts = new List<string>();
        var start = 0;
        for (var i = text.IndexOf('+', StringComparison.Ordinal); i >= 0; i = text.IndexOf('+', i + 1))
        {
            var rest = text[(i + 1)..];
            var end = rest.IndexOfAny([':', '+']);
            if (!names.Contains((end < 0 ? rest : rest[..end]).Trim()))
                continue;
            parts.Add(text[start..i]);
            start = i + 1;
        }

        return [.. parts, text[start..]];
    }

    /// <summary>The method of two parts.</summary>
    /// <param name="text">All of it.</param>
    /// <param name="parts">The parts.</param>
    /// <param name="config">The model.</param>
    /// <param name="resolve">Finds the method of a part; null: the uncompressed cache.</param>
    /// <exception cref="ArgumentException">They do not go together; the message says why and what does.</exception>
    internal static IKvMethod Resolve(string text, string[] parts, ModelConfig config, Func<string, IKvMethod?> resolve)
    {
        if (parts.Length > 2)
            throw new ArgumentException($"'{text}' names {parts.Length} methods; a composition has two: one that deletes tokens and one that codes the others, as 'snapkv+kivi-4'.");
        var names = Array.ConvertAll(parts, part => KvMethodSpec.Parse(part).Name);
        var methods = Array.ConvertAll(parts, part => resolve(part));
        if (methods[0] is not EvictionMethod deleting)
            throw Refused(names, WhyNotFirst(names, methods));
        if (methods[1] is not CodedKvMethod coding)
            throw Refused(names, WhyNotSecond(names, methods[1]));
        var (policy, code) = (deleting.Format.Policy, coding.Format);
        if (WhyNotDeleting(names, policy) is { } reason)
            throw Refused(names, reason);
        if ((WhyNotCoding(names, code) ?? WhyNotTogether(names, policy, code)) is { } other)
            throw Refused(names, other);
        return new EvictionMethod(config, policy, new KeptFormat(code, policy.WhileDecoding ? policy.Sinks : 0, NeedsPositions(code)));
    }

    private static ArgumentException Refused(string[] names, string reason) => new($"'{names[0]}' and '{names[1]}' cannot be composed: {reason}");

    private static string WhyNotFirst(string[] names, IKvMethod?[] methods) => methods switch
    {
        [_, EvictionMethod] => $"what deletes tokens comes first. Write '{names[1]}+{names[0]}'.",
        [CodedKvMethod, CodedKvMethod] => "both code tokens, and a layer is coded once. Layers of 'deltakv' that would stay raw are quantised by the setting 'deltakv:fulllayers=kivi4'.",
        [null, _] => $"'{names[0]}' keeps everything as it is. Name '{names[1]}' alone.",
        _ => $"'{names[0]}' keeps every token uncompressed and reads some of them. Coded tokens are selected by observation layers, as in 'kivi-4:observers=2+5,top=512'.",
    };

    private static string WhyNotSecond(string[] names, IKvMethod? method) => method switch
    {
        EvictionMethod => "both delete tokens. Name one of them, with a smaller budget.",
        null => $"'{names[1]}' leaves tokens as they are, and so does '{names[0]}' alone.",
        _ => $"'{names[1]}' chooses among all tokens, of which '{names[0]}' would delete most. Name one of them.",
    };

    /// <summary>Whether codes mean whole tokens at their positions: of all heads together, or by their ids.</summary>
    private static bool NeedsPositions(CodedKvFormat code) => code.RecomputesFirstLayer || code.Codecs.Any(codec => codec.Groups.Any(group => group.Length > codec.HeadDim));

    private static string? WhyNotDeleting(string[] names, IEvictionPolicy policy)
    {
        const int Any = 1 << 16;
        return policy.WhileDecoding && (policy.Scoring is not null || policy.Sinks + policy.Recent(Any) < Any)
            ? $"'{names[0]}' deletes any token at any time, and tokens are coded in groups by then: what is left of each would have to be coded again and again. Use 'snapkv+{names[1]}', which deletes at the end of the prompt, or 'streaming-llm+{names[1]}'."
            : null;
    }

    private static string? WhyNotCoding(string[] names, CodedKvFormat code)
    {
        if (code.HasReferences)
            return $"'{names[1]}' codes tokens as differences from other tokens, which '{names[0]}' may delete. Use codes without references: 'int4', 'kivi-4', or a codec with none.";
        if (code.Codecs.Any(codec => codec.FeatureCount > 0 || codec.HasHiddenDecoder || codec.WindowHeads != 0))
            return $"'{names[1]}' has hidden layers or heads without history, which kept tokens cannot have. Use 'int4' or 'kivi-4'.";
        return code.Options.Selection.Selects || code.Options.PrefillTokens > 0 || code.Options.HotTokens > 0
            ? $"'{names[1]}' is asked to select what it reads, and '{names[0]}' selects what there is. Leave 'top', 'share', 'observers', 'prefill' and 'hot' of '{names[1]}' out; settings stand behind their own part, as in '{names[0]}:share=25+{names[1]}'."
            : null;
    }

    private static string? WhyNotTogether(string[] names, IEvictionPolicy policy, CodedKvFormat code)
    {
        if (policy.Scoring is { SharedByHeads: false } && NeedsPositions(code))
        {
            return (code.RecomputesFirstLayer && code.Codecs.Count == 1 ? $"'{names[1]}' recomputes the first layer from token ids" : $"'{names[1]}' codes a token's heads together")
                + $", and '{names[0]}' keeps other tokens for every head. Use '{names[0]}+int4' or '{names[0]}+kivi-4', or 'compresskv+{names[1]}'.";
        }

        return policy is IProbingPolicy && new KeptFormat(code).KindBytes.Count > 1
            ? $"'{names[0]}' shares its budget among layers after the prompt, and layers of '{names[1]}' differ in size. Use one form for all layers."
            : null;
    }
}
