using System.CommandLine;
using DeltaKV.Cli.Output;

namespace DeltaKV.Cli.Options;

/// <summary><c>--json [FILE]</c>: results for machines, on stdout in place of text, or in a file beside it.</summary>
internal sealed class JsonArgument
{
    private readonly Option<string?> json = new("--json")
    {
        Description = "Write results as JSON: to FILE, or to stdout in place of text.",
        HelpName = "FILE",
        Arity = ArgumentArity.ZeroOrOne,
    };

    internal void AddTo(Command command) => command.Add(json);

    internal JsonTarget Read(ParseResult parsed) => new(parsed.GetResult(json) is { Implicit: false }, parsed.GetValue(json) is { } file ? OutputFile.Prepare(file) : null);
}
