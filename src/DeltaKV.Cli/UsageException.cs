namespace DeltaKV.Cli;

/// <summary>The command line asks for something that makes no sense; the message says what and what would.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>The value of an option that has a least one.</summary>
    /// <exception cref="UsageException">It is less.</exception>
    internal static int AtLeast(int least, int value, string option) =>
        value >= least ? value : throw new UsageException($"{option} is {value}, expected at least {least}.");
}
