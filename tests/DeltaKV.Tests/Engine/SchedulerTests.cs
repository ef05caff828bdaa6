using DeltaKV.Engine;
using static DeltaKV.Tests.Engine.SchedulerHarness;

namespace DeltaKV.Tests.Engine;

public sealed class SchedulerTests
{
    [Fact]
    public void GeneratesWhatTheModelSays()
    {
        var harness = new SchedulerHarness(blocks: 8, blockSize: 4, maxSequences: 2, maxBatchTokens: 64);
        var sequence = harness.Add(Prompt(5), 10);
        harness.RunToEnd();

        Assert.Equal(Alone(Prompt(5), 10), Output(sequence));
        Assert.Equal(FinishReason.Length, sequence.Finish);
        Assert.Equal(0, harness.Runner.Paged.Allocator.UsedCount);
    }

    [Fact]
    public void ALongPromptIsComputedInChunks()
    {
        var harness = new SchedulerHarness(32, 8, 2, 32);
        harness.Add(Prompt(100), 1);

        Assert.Equal([(0, 32), (32, 32), (64, 32), (96, 4)], Enumerable.Range(0, 4).Select(_ => harness.Step().Select(entry => (entry.Start, entry.Count)).Single()));
        Assert.False(harness.Scheduler.HasWork);
    }

    [Fact]
    public void DecodingGoesOnWhileAPromptIsComputed()
    {
        var harness = new SchedulerHarness(64, 8, 2, 32);
        var talking = harness.Add(Prompt(4), 50);
        harness.Step();
        var reading = harness.Add(Prompt(200, seed: 1), 1);
        while (!reading.IsEnded)
        {
            var before = talking.OutputCount;
            var step = harness.Step();
            Assert.Equal(before + 1, talking.OutputCount);
            Assert.Equal([(talking, 1), (reading, step[1].Count)], step.Select(entry => (entry.Sequence, entry.Count)));
            Assert.True(step.Sum(entry => entry.Count) <= 32);
        }
    }

    [Fact]
    public void AShortPromptDoesNotWaitForALongOne()
    {
        var harness = new SchedulerHarness(256, 8, 4, 128);
        var large = harness.Add(Prompt(1500), 1);
        harness.Step();
        var small = harness.Add(Prompt(20, seed: 1), 1);
        harness.Step();

        Assert.True(small.IsEnded);
        Assert.False(large.IsEnded);
    }

    [Fact]
    public void TheWholeBudgetIsSpentWhenNobodyElseNeedsIt()
    {
        var harness = new SchedulerHarness(64, 8, 4, 100);
        var large = harness.Add(Prompt(300), 1);
        harness.Add(Prompt(10, seed: 1), 1);

        var step = harness.Step();
        Assert.Equal(100, step.Sum(entry => entry.Count));
        Assert.Equal(90, step.Single(entry => entry.Sequence == large).Count);
    }

    [Fact]
    public void SingleTokensComeFirstInABatch()
    {
        var harness = new SchedulerHarness(64, 8, 4, 64);
        harness.Add(Prompt(100), 5);
        harness.Add(Prompt(3, 1), 20);
        harness.Step();
        var batch = harness.Scheduler.Next();

        Assert.Equal((2, 1), (batch.Count, batch.DecodeCount));
        Assert.Equal(1, batch.Entries[0].Count);
    }

    [Fact]
    public void MissingMemoryIsTakenFromTheYoungestAndNothingIsLost()
    {
        var harness = new SchedulerHarness(blocks: 12, blockSize: 4, maxSequences: 4, maxBatchTokens: 64);
        var sequences = Enumerable.Range(0, 4).Select(i => harness.Add(Prompt(8, i), 30)).ToList();
        harness.RunToEnd();

        Assert.True(harness.Scheduler.Preemptions > 0);
        Assert.Equal(1, sequences[0].Admissions);
        Assert.True(sequences[3].Admissions > 1);
        for (var i = 0; i < sequences.Count; i++)
            Assert.Equal(Alone(Prompt(8, i), 30), Output(sequences[i]));
        Assert.Equal(sequences.OrderBy(sequence => sequence.EndedAt), sequences);
        Assert.Equal(0, harness.Runner.Paged.Allocator.UsedCount);
    }

    [Fact]
    public void PromptsThatBeginAlikeAreComputedOnce()
    {
        var harness = new SchedulerHarness(64, 4, 4, 256);
        harness.Add(Prompt(41), 5);
        harness.RunToEnd();
        var second = harness.Add(Prompt(41), 5);
        var step = harness.Step();

        Assert.Equal(40, second.CachedTokens);
        Assert.Equal([(second, 40, 1)], step);
        harness.RunToEnd();
        Assert.Equal(Alone(Prompt(41), 5), Output(second));
        Assert.Equal(40, second.Statistics.CachedTokens);
    }

    [Fact]
    public void EosEndsAnAnswerUnlessIgnored()
    {
        var alone = Alone(Prompt(5), 6);
        var harness = new SchedulerHarness(32, 4, 4, 64);
        var stopping = harness.Add(Prompt(5), 6, null, alone[2]);
        var ignoring = harness.Add(Prompt(5), 6, SamplingOptions.Greedy with { IgnoreEos = true }, alone[2]);
        harness.RunToEnd();

        Assert.Equal(alone[..3], Output(stopping));
        Assert.Equal(FinishReason.EndOfText, stopping.Finish);
        Assert.Equal(alone, Output(ignoring));
    }

    [Fact]
    public void CancellationInsideAPrefillChunkReturnsTheBlocks()
    {
        var harness = new SchedulerHarness(32, 4, 4, 16);
        var sequence = harness.Add(Prompt(60), 5);
        harness.Step();
        harness.Runner.OnForward = batch =>
        {
            Assert.False(batch.IsAbandoned);
            sequence.Cancel();
            Assert.True(batch.IsAbandoned);
        };
        harness.Step();
        Assert.Empty(harness.Step());

        Assert.True(sequence.IsEnded);
        Assert.Equal(0, sequence.OutputCount);
        Assert.Equal((0, false), (harness.Runner.Paged.Allocator.UsedCount, harness.Scheduler.HasWork));
    }

    [Fact]
    public void AWaitingSequenceCanBeCancelled()
    {
        var harness = new SchedulerHarness(32, 4, 1, 16);
        var first = harness.Add(Prompt(4), 3);
        var second = harness.Add(Prompt(4, 1), 3);
        harness.Step();
        second.Cancel();
        harness.RunToEnd();

        Assert.Equal((3, 0), (first.OutputCount, second.OutputCount));
        Assert.True(second.Events.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public void RunningSequencesHaveSlotsOfTheirOwn()
    {
        var harness = new SchedulerHarness(40, 4, 3, 64);
        for (var i = 0; i < 9; i++)
            harness.Add(Prompt(4 + i, i), 5 + i);
        while (harness.Scheduler.HasWork)
        {
            var batch = harness.Scheduler.Next();
            var slots = batch.Entries.ToArray().Select(entry => entry.Sequence.Slot).ToList();
            Assert.Equal(slots.Count, slots.Distinct().Count());
            Assert.All(slots, slot => Assert.InRange(slot, 0, 2));
            harness.Scheduler.Commit(batch, harness.Runner.Forward(batch));
        }
    }

    [Fact]
    public void ASequenceThatCannotFitAloneFailsByItself()
    {
        var harness = new SchedulerHarness(4, 4, 2, 64);
        var tooLong = harness.Add(Prompt(10), 50);
        var fine = harness.Add(Prompt(4, 1), 4);
        harness.RunToEnd();

        Assert.IsType<InsufficientDeviceMemoryException>(Error(tooLong));
        Assert.Equal(Alone(Prompt(4, 1), 4), Output(fine));
        Assert.Equal(0, harness.Runner.Paged.Allocator.UsedCount);
    }

    [Fact]
    public void ASteadyStepAllocatesNothing()
    {
        const int Sequences = 4;
        var harness = new SchedulerHarness(blocks: 400, blockSize: 16, maxSequences: Sequences, maxBatchTokens: 64);
        var sequences = Enumerable.Range(0, Sequences).Select(i => harness.Add(Prompt(8, i), 900)).ToList();
        var tokens = new int[Sequences];
        // The tables and lists grow to their size first; 600 steps then fill about 37 blocks of every sequence.
        for (var i = 0; i < 280; i++)
            StepWithoutModel();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 220; i++)
            StepWithoutModel();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void StepWithoutModel()
        {
            var batch = harness.Scheduler.Next();
            for (var i = 0; i < batch.Count; i++)
                tokens[i] = batch.Entries[i].End % 1000;
            harness.Scheduler.Commit(batch, tokens);
            foreach (var sequence in sequences)
            {
                while (sequence.Events.TryRead(out _))
                {
                }
            }
        }
    }

    private static Exception Error(Sequence sequence)
    {
        while (sequence.Events.TryRead(out _))
        {
        }
        return Assert.Single(sequence.Events.Completion.Exception!.InnerExceptions);
    }
}
