namespace DeltaKV.Cli;

/// <summary>The command line asks for something that makes no sense; the message says what and what would.</summary>
internal sealed class UsageException(string message) : Exception(message);
