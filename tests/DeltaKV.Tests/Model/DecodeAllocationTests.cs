using DeltaKV.Engine;

namespace DeltaKV.Tests.Model;

/// <summary>A decode step leaves no garbage: neither planning nor the model nor sampling allocates once every kernel and graph is there.</summary>
public sealed class DecodeAllocationTests
{
    [Theory]
    [InlineData(ModelPrecision.BFloat16)]
    [InlineData(ModelPrecision.FullPrecision)]
    public void ADecodeStepAllocatesNothing(ModelPrecision precision)
    {
        var (runner, _) = DeviceEngine.OpenRunner(DeviceEngine.Fixture("llama"), new EngineOptions { Precision = precision, MaxSequences = 4, MaxBatchTokens = 64 });
        using (runner)
        {
            var scheduler = new Scheduler(runner.Cache, 4, 64);
            SamplingOptions[] options =
            [
                SamplingOptions.Greedy,
                new() { Temperature = 1, TopK = 20, TopP = 0.9f, MinP = 0.01f, Seed = 1 },
                new() { Temperature = 0.7f, RepetitionPenalty = 1.2f, FrequencyPenalty = 0.5f },
            ];
            foreach (var sampling in options)
                scheduler.Add(new Sequence(Enumerable.Range(3, 20).ToArray(), sampling, maxTokens: 300, []));
            for (var warmUp = 0; warmUp < 10; warmUp++)
                Step(runner, scheduler);

            var before = GC.GetAllocatedBytesForCurrentThread();
            long forward = 0;
            for (var i = 0; i < 20; i++)
                forward += Step(runner, scheduler);

            Assert.Equal(0, forward);
            // The callers' channels grow by a segment now and then; nothing else does.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
        }
    }

    /// <summary>One step of the engine; returns what computing it allocated.</summary>
    private static long Step(IModelRunner runner, Scheduler scheduler)
    {
        var batch = scheduler.Next();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var tokens = runner.Forward(batch);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        scheduler.Commit(batch, tokens);
        return allocated;
    }
}
