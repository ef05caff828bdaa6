namespace DeltaKV.Cli;

/// <summary>Where a command reads and writes: answers and tables go to <paramref name="Out"/>, everything said about them to <paramref name="Error"/>.</summary>
/// <param name="In">Standard input.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="AcceptsInput">Whether a person types the input.</param>
/// <param name="ShowsProgress">Whether a person sees the error output, so that a line may be rewritten.</param>
internal sealed record Terminal(TextReader In, TextWriter Out, TextWriter Error, bool AcceptsInput, bool ShowsProgress)
{
    /// <summary>Letters in a line of output, where a person sees it.</summary>
    internal int Width { get; init; } = int.MaxValue;

    /// <summary>What the person at the terminal wants stopped.</summary>
    internal Interrupts Interrupts { get; init; } = new();

    /// <summary>Until disposed, tells a person who interrupts work that has to come to a good place first that this was heard.</summary>
    internal IDisposable ConfirmInterrupts() => Interrupts.Program.Register(() =>
    {
        if (ShowsProgress)
            Error.WriteLine($"{Environment.NewLine}Stopping. Ctrl-C again ends at once.");
    });

    internal static Terminal OfProcess(Interrupts interrupts) => new(Console.In, Console.Out, Console.Error, !Console.IsInputRedirected, !Console.IsErrorRedirected)
    {
        Interrupts = interrupts,
        // Some terminals do not tell and say 0.
        Width = Console.IsOutputRedirected || Console.WindowWidth <= 0 ? int.MaxValue : Console.WindowWidth,
    };
}
