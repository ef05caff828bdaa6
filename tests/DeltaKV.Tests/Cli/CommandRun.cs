using DeltaKV.Cli;

namespace DeltaKV.Tests.Cli;

/// <summary>One run of <c>deltakv</c> in this process: what it printed and what it ended with.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    internal static Task<CommandRun> OfAsync(params string[] arguments) => WithInputAsync(null, arguments);

    /// <summary>Runs with piped input; null for a person who types nothing.</summary>
    internal static async Task<CommandRun> WithInputAsync(string? input, string[] arguments, CancellationToken cancellation = default)
    {
        using var reader = new StringReader(input ?? "");
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var terminal = new Terminal(reader, output, error, AcceptsInput: input is null, ShowsProgress: false);
        var code = await CommandLine.RunAsync(arguments, terminal, cancellation);
        return new CommandRun(code, output.ToString(), error.ToString());
    }
}
