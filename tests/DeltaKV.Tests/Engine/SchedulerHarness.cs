using DeltaKV.Engine;

namespace DeltaKV.Tests.Engine;

/// <summary>A scheduler and a model stepped by hand.</summary>
internal sealed class SchedulerHarness
{
    internal SchedulerHarness(int blocks, int blockSize, int maxSequences, int maxBatchTokens, bool prefixCaching = true)
    {
        Runner = new HashModelRunner(blocks, blockSize, prefixCaching);
        Scheduler = new Scheduler(Runner.Cache, maxSequences, maxBatchTokens);
    }

    internal HashModelRunner Runner { get; }

    internal Scheduler Scheduler { get; }

    internal Sequence Add(IReadOnlyList<int> prompt, int maxTokens, SamplingOptions? sampling = null, params int[] eos)
    {
        var sequence = new Sequence(prompt.ToArray(), sampling ?? SamplingOptions.Greedy, maxTokens, [.. eos]);
        Scheduler.Add(sequence);
        return sequence;
    }

    /// <summary>One step; returns what it computed as (sequence, start, count).</summary>
    internal List<(Sequence Sequence, int Start, int Count)> Step()
    {
        var batch = Scheduler.Next();
        var computed = batch.Entries.ToArray().Select(entry => (entry.Sequence, entry.Start, entry.Count)).ToList();
        if (batch.Count > 0)
            Scheduler.Commit(batch, Runner.Forward(batch));
        return computed;
    }

    internal void RunToEnd()
    {
        for (var steps = 0; Scheduler.HasWork; steps++)
        {
            Assert.True(steps < 100_000, "the scheduler makes no progress");
            Assert.NotEmpty(Step());
        }
    }

    internal static int[] Prompt(int length, int seed = 0) => Enumerable.Range(0, length).Select(i => (i * 31 + seed * 977 + 3) % HashModel.Vocabulary).ToArray();

    internal static int[] Output(Sequence sequence) => sequence.Tokens[sequence.PromptLength..].ToArray();

    internal static int[] Alone(int[] prompt, int maxTokens) => [.. HashModel.Generate(prompt, SamplingOptions.Greedy, maxTokens, [])];
}
