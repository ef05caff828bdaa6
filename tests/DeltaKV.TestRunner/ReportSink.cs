using Xunit;
using Xunit.Abstractions;

namespace DeltaKV.TestRunner;

/// <summary>Counts results, prints failures as they come, and says when an assembly is finished.</summary>
internal sealed class ReportSink(bool verbose) : LongLivedMarshalByRefObject, IMessageSink, IDisposable
{
    private readonly ManualResetEventSlim finished = new();
    private readonly Lock gate = new();

    internal int Passed { get; private set; }

    internal int Failed { get; private set; }

    internal int Skipped { get; private set; }

    public void Dispose() => finished.Dispose();

    public bool OnMessage(IMessageSinkMessage message)
    {
        lock (gate)
            Report(message);
        return true;
    }

    internal void WaitForEnd() => finished.Wait();

    private void Report(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestPassed passed:
                Passed++;
                if (verbose)
                    Console.WriteLine($"pass {passed.Test.DisplayName} ({passed.ExecutionTime:f2} s)");
                break;
            case ITestFailed failed:
                Failed++;
                Console.WriteLine($"FAIL {failed.Test.DisplayName}\n{Describe(failed)}\n{failed.Output}");
                break;
            case ITestSkipped skipped:
                Skipped++;
                Console.WriteLine($"skip {skipped.Test.DisplayName}: {skipped.Reason}");
                break;
            case ITestAssemblyFinished:
                finished.Set();
                break;
            case IErrorMessage or ITestAssemblyCleanupFailure or ITestCollectionCleanupFailure or ITestClassCleanupFailure:
                Failed++;
                Console.WriteLine($"FAIL outside a test\n{Describe((IFailureInformation)message)}");
                break;
        }
    }

    private static string Describe(IFailureInformation failure) => string.Join(
        "\n", failure.Messages.Select((text, i) => $"  {failure.ExceptionTypes[i]}: {text}\n{failure.StackTraces[i]}"));
}
