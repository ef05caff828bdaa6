using BenchmarkDotNet.Attributes;
using DeltaKV.Cache;
using DeltaKV.Engine;

namespace DeltaKV.Benchmarks.Engine;

/// <summary>
/// Host time of one decode step without the model: planning the batch, committing its tokens, handing them to the callers. It adds to every
/// step, so its floor is what a step may lose: 1 % of a 2.5 ms step is 25 us. Must allocate nothing.
/// </summary>
[MemoryDiagnoser]
public class SchedulerBenchmarks
{
    private const int StepsPerSequence = 2048;
    private Scheduler scheduler = null!;
    private Sequence[] sequences = [];
    private int[] tokens = [];
    private int step;

    /// <summary>Sequences decoding together.</summary>
    [Params(1, 8, 64)]
    public int Sequences { get; set; }

    [IterationSetup]
    public void Setup()
    {
        var blocks = Sequences * (StepsPerSequence / 64 + 2);
        scheduler = new Scheduler(new PagedKvCache(blocks, 64, 1, new NoBlockStore()), Sequences, 1024);
        tokens = new int[Sequences];
        sequences = [.. Enumerable.Range(0, Sequences).Select(i => new Sequence([i, 1], SamplingOptions.Greedy, StepsPerSequence, [-1]))];
        foreach (var sequence in sequences)
            scheduler.Add(sequence);
        step = 0;
        DecodeStep();
    }

    [Benchmark(OperationsPerInvoke = StepsPerSequence - 8)]
    public void Decode()
    {
        for (var i = 0; i < StepsPerSequence - 8; i++)
            DecodeStep();
    }

    private void DecodeStep()
    {
        var batch = scheduler.Next();
        tokens.AsSpan().Fill(step++);
        scheduler.Commit(batch, tokens);
        foreach (var sequence in sequences)
            sequence.Events.TryRead(out _);
    }
}
