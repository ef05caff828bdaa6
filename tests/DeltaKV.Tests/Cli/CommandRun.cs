using DeltaKV.Cli;

namespace DeltaKV.Tests.Cli;

/// <summary>One run of <c>deltakv</c> in this process: what it printed and what it ended with.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs for a person who types nothing.</summary>
    internal static Task<CommandRun> OfAsync(params string[] arguments) => RunAsync("", isTyped: true, null, arguments);

    /// <summary>Runs with piped input.</summary>
    internal static Task<CommandRun> WithInputAsync(string input, params string[] arguments) => RunAsync(input, isTyped: false, null, arguments);

    /// <summary>Runs, with Ctrl-C as soon as this text has been written.</summary>
    internal static Task<CommandRun> InterruptedAsync(string text, string input, bool isTyped, params string[] arguments) => RunAsync(input, isTyped, text, arguments);

    private static async Task<CommandRun> RunAsync(string input, bool isTyped, string? interruptAt, string[] arguments)
    {
        using var interrupts = new Interrupts();
        using var reader = new StringReader(input);
        await using var output = new WatchedWriter(interruptAt, interrupts);
        await using var error = new WatchedWriter(interruptAt, interrupts);
        var terminal = new Terminal(reader, output, error, isTyped, ShowsProgress: false) { Interrupts = interrupts };
        var code = await CommandLine.RunAsync(arguments, terminal);
        return new CommandRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Raises an interrupt as soon as a text has been written. What commands write with ends in one of the two methods.</summary>
    private sealed class WatchedWriter(string? text, Interrupts interrupts) : StringWriter
    {
        private bool seen;

        public override void Write(string? value)
        {
            base.Write(value);
            Watch();
        }

        public override void Write(ReadOnlySpan<char> buffer)
        {
            base.Write(buffer);
            Watch();
        }

        private void Watch()
        {
            if (seen || text is null || !ToString().Contains(text, StringComparison.Ordinal))
                return;
            seen = true;
            interrupts.Raise();
        }
    }
}
