namespace DeltaKV.Cli;

/// <summary>What the process ends with.</summary>
internal static class ExitCode
{
    internal const int Success = 0;

    /// <summary>The command was understood and could not be carried out; the reason is on stderr.</summary>
    internal const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    internal const int Usage = 2;

    /// <summary>Ctrl-C, as shells count it.</summary>
    internal const int Cancelled = 130;
}
