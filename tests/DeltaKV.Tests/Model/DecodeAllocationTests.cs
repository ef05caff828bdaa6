using DeltaKV.Engine;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Model;

/// <summary>A decode step leaves no garbage: neither planning nor the model nor sampling allocates once every kernel and graph is there.</summary>
/// <remarks>Alone, because the CPU accelerators of a process share the memory of their launches.</remarks>
[Collection(AloneCollection.Name)]
public sealed class DecodeAllocationTests
{
    private const int Steps = 20;

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

            var steps = Enumerable.Range(0, Steps).Select(_ => Step(runner, scheduler)).ToList();

            Assert.All(steps, step => Assert.Equal(0, step.Forward));
            // A caller's channel grows by a segment now and then.
            Assert.InRange(steps.Count(step => step.Whole == 0), Steps - 2, Steps);
        }
    }

    /// <summary>One step of the engine, and what it allocated: to compute it, and in whole.</summary>
    private static (long Forward, long Whole) Step(IModelRunner runner, Scheduler scheduler)
    {
        var start = GC.GetAllocatedBytesForCurrentThread();
        var batch = scheduler.Next();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var tokens = runner.Forward(batch);
        var forward = GC.GetAllocatedBytesForCurrentThread() - before;
        scheduler.Commit(batch, tokens);
        return (forward, GC.GetAllocatedBytesForCurrentThread() - start);
    }
}
