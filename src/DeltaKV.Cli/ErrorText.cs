using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace DeltaKV.Cli;

/// <summary>Says what went wrong in the words of the command line.</summary>
internal static partial class ErrorText
{
    /// <summary>Options of commands by the names that the library has for them.</summary>
    private static readonly Dictionary<string, string> Options = new(StringComparer.Ordinal)
    {
        ["MaxModelLength"] = "--context",
        ["MaxSequences"] = "--sequences",
        ["MaxBatchTokens"] = "--chunk",
        ["MemoryShare"] = "--memory",
        ["MaxTokens"] = "--max-tokens",
        ["Temperature"] = "--temperature",
        ["TopK"] = "--top-k",
        ["TopP"] = "--top-p",
        ["MinP"] = "--min-p",
        ["RepetitionPenalty"] = "--repetition-penalty",
        ["PresencePenalty"] = "--presence-penalty",
        ["FrequencyPenalty"] = "--frequency-penalty",
    };

    internal static string Of(Exception error) => Name().Replace(WithoutParameter(error), name => Options.GetValueOrDefault(name.Value, name.Value));

    internal static string Of(ParseError error) => Unparsed().Match(error.Message) is { Success: true } match
        ? $"{match.Groups["option"].Value} is '{match.Groups["value"].Value}', expected {Kind(match.Groups["type"].Value)}."
        : error.Message;

    private static string Kind(string type) => type.Contains("Int", StringComparison.Ordinal) ? "a whole number" : "a number";

    /// <summary>The message without what the runtime appends for programmers.</summary>
    private static string WithoutParameter(Exception error)
    {
        if (error is not ArgumentException { ParamName: { } name })
            return error.Message;
        var end = error.Message.IndexOf($" (Parameter '{name}')", StringComparison.Ordinal);
        return end < 0 ? error.Message : error.Message[..end];
    }

    [GeneratedRegex(@"\b[A-Z]\w+\b")]
    private static partial Regex Name();

    [GeneratedRegex("^Cannot parse argument '(?<value>.*)' for option '(?<option>.*)' as expected type '(?<type>.*(Int|Single|Double).*)'")]
    private static partial Regex Unparsed();
}
