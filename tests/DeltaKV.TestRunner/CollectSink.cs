using Xunit;
using Xunit.Abstractions;

namespace DeltaKV.TestRunner;

/// <summary>Collects the test cases of an assembly.</summary>
internal sealed class CollectSink : LongLivedMarshalByRefObject, IMessageSink, IDisposable
{
    private readonly ManualResetEventSlim finished = new();

    internal List<ITestCase> Cases { get; } = [];

    public void Dispose() => finished.Dispose();

    public bool OnMessage(IMessageSinkMessage message)
    {
        if (message is ITestCaseDiscoveryMessage found)
            Cases.Add(found.TestCase);
        if (message is IDiscoveryCompleteMessage)
            finished.Set();
        return true;
    }

    internal void WaitForEnd() => finished.Wait();
}
