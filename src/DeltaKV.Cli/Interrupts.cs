using System.Runtime.InteropServices;

namespace DeltaKV.Cli;

/// <summary>What Ctrl-C asks for: that the work in hand stops, and while it is stopping, that the program ends at once.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly CancellationTokenSource program = new();
    private volatile CancellationTokenSource? part;

    /// <summary>Cancelled when the program is to end.</summary>
    internal CancellationToken Program => program.Token;

    /// <summary>Listens to Ctrl-C, and to requests to end, until disposed. What is not answered here has its usual effect.</summary>
    internal IDisposable Listen() => new Signals(
        PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = Raise()),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = Cancel(program)));

    /// <summary>Does a part of the work that can be stopped without ending the program.</summary>
    /// <returns>Whether it was done; false if it was stopped.</returns>
    /// <exception cref="OperationCanceledException">The program is to end.</exception>
    internal async Task<bool> TryAsync(Func<CancellationToken, Task> work)
    {
        // Not disposed, for Ctrl-C may come when the work has just been done; it holds nothing.
        var source = new CancellationTokenSource();
        using var end = program.Token.Register(source.Cancel);
        part = source;
        try
        {
            await work(source.Token);
            return true;
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested && !program.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            part = null;
        }
    }

    /// <summary>Ctrl-C: stops the part in hand, or the program where there is none.</summary>
    /// <returns>Whether there was anything to stop; if it is stopping already, whoever asks again does not want to wait.</returns>
    internal bool Raise() => Cancel(part ?? program);

    public void Dispose() => program.Dispose();

    private static bool Cancel(CancellationTokenSource source)
    {
        if (source.IsCancellationRequested)
            return false;
        // At once and on this thread: the pool may be busy with the very work that is to stop.
        source.Cancel();
        return true;
    }

    private sealed record Signals(PosixSignalRegistration Interrupt, PosixSignalRegistration Terminate) : IDisposable
    {
        public void Dispose()
        {
            Interrupt.Dispose();
            Terminate.Dispose();
        }
    }
}
