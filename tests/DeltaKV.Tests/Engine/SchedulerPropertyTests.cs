using DeltaKV.Engine;

namespace DeltaKV.Tests.Engine;

/// <summary>Random arrivals, lengths and cancellations over random limits: every answer is the one the sequence gets alone.</summary>
public sealed class SchedulerPropertyTests
{
    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    [InlineData(104)]
    [InlineData(105)]
    [InlineData(106)]
    public void EverySequenceEndsAsItWouldAlone(int seed)
    {
        var random = new Random(seed);
        var blockSize = random.Next(1, 9);
        var maxSequences = random.Next(1, 7);
        var blocks = random.Next(12, 30);
        var capacity = blocks * blockSize;
        var harness = new SchedulerHarness(blocks, blockSize, maxSequences, random.Next(maxSequences, 40), prefixCaching: random.Next(4) > 0);
        var added = new List<(Sequence Sequence, int[] Prompt, int MaxTokens)>();
        for (var step = 0; added.Count < 80 || harness.Scheduler.HasWork; step++)
        {
            Assert.True(step < 50_000, $"seed {seed}: no progress");
            if (added.Count < 80 && random.Next(3) == 0)
            {
                var maxTokens = random.Next(1, capacity / 2);
                // Few distinct prompts: many begin alike.
                var prompt = SchedulerHarness.Prompt(random.Next(1, capacity - maxTokens + 1), random.Next(3));
                added.Add((harness.Add(prompt, maxTokens), prompt, maxTokens));
            }
            if (added.Count > 0 && random.Next(40) == 0)
                added[random.Next(added.Count)].Sequence.Cancel();
            harness.Step();
        }

        foreach (var (sequence, prompt, maxTokens) in added)
        {
            var expected = SchedulerHarness.Alone(prompt, maxTokens);
            var output = SchedulerHarness.Output(sequence);
            if (sequence.Finish is null)
            {
                Assert.True(sequence.IsCancelled, $"seed {seed}: a sequence was lost");
                expected = expected[..output.Length];
            }
            Assert.Equal(expected, output);
        }
        Assert.Equal(0, harness.Runner.Paged.Allocator.UsedCount);
        Assert.Equal(default, harness.Runner.Cache.Usage);
    }
}
