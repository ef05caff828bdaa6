namespace DeltaKV.Cli;

/// <summary>Work was interrupted; the message says what is kept of it.</summary>
internal sealed class InterruptedException(string message, OperationCanceledException inner) : OperationCanceledException(message, inner, inner.CancellationToken);
