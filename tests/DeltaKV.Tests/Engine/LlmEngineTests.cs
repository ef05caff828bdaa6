using System.Collections.Immutable;
using DeltaKV.Engine;

namespace DeltaKV.Tests.Engine;

public sealed class LlmEngineTests
{
    private const string Text = "The quick brown fox jumps over the lazy dog.";

    [Fact]
    public async Task StreamsEveryTokenAndEndsWithStatistics()
    {
        await using var engine = TestEngine.Create(new HashModelRunner(32, 8));
        var prompt = TestEngine.Tokenizer.Encode(Text, addSpecialTokens: true);
        var updates = new List<GenerationUpdate>();
        await foreach (var update in engine.GenerateAsync(Text, new SamplingOptions { MaxTokens = 20 }))
            updates.Add(update);

        var (tokens, text, _) = TestEngine.Alone(prompt, SamplingOptions.Greedy, 20);
        Assert.Equal(tokens, updates.Select(update => update.TokenId).ToImmutableArray().AsEnumerable());
        Assert.Equal(text, string.Concat(updates.Select(update => update.Text)));
        Assert.All(updates.SkipLast(1), update => Assert.Null(update.FinishReason));
        Assert.Equal(FinishReason.Length, updates[^1].FinishReason);
        var statistics = updates[^1].Statistics!;
        Assert.Equal((prompt.Length, 20, 0), (statistics.PromptTokens, statistics.OutputTokens, statistics.CachedTokens));
        Assert.True(statistics.Kv.TotalBytes >= statistics.Kv.FullBytes && statistics.Kv.Tokens == prompt.Length + 19);
        Assert.Equal(statistics.Kv.TotalBytes, statistics.PeakKvBytes);
        Assert.True(statistics.Duration >= statistics.TimeToFirstToken && statistics.TimeToFirstToken > TimeSpan.Zero);
    }

    [Fact]
    public async Task AStopSequenceAcrossTokensEndsTheText()
    {
        await using var engine = TestEngine.Create(new HashModelRunner(64, 8));
        var whole = (await engine.CompleteAsync(Text, new SamplingOptions { MaxTokens = 60 })).Text;
        var start = whole.Length / 2;
        var stop = whole.Substring(start, 7);
        var result = await engine.CompleteAsync(Text, new SamplingOptions { MaxTokens = 60, StopSequences = [stop] });

        Assert.Equal(FinishReason.StopSequence, result.FinishReason);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], result.Text);
        Assert.True(result.TokenIds.Length < 60);
    }

    [Fact]
    public async Task TheAnswerEndsWhereTheContextEnds()
    {
        await using var engine = TestEngine.Create(new HashModelRunner(4, 8));
        var result = await engine.CompleteAsync(SchedulerHarness.Prompt(20));
        Assert.Equal((12, FinishReason.Length), (result.TokenIds.Length, result.FinishReason));
    }

    [Fact]
    public async Task ImpossibleRequestsAreRefusedBeforeTheyStart()
    {
        await using var engine = TestEngine.Create(new HashModelRunner(4, 8));
        var overflow = Assert.Throws<ContextOverflowException>(() => engine.GenerateAsync(SchedulerHarness.Prompt(32)));
        Assert.Equal((32, 32), (overflow.PromptTokens, overflow.MaxModelLength));
        Assert.Throws<ArgumentException>(() => engine.GenerateAsync(ReadOnlyMemory<int>.Empty));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.GenerateAsync(new[] { 4096 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.GenerateAsync(new[] { -1 }));
        var bias = ImmutableDictionary<int, float>.Empty.Add(4096, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.GenerateAsync(new[] { 1 }, new SamplingOptions { LogitBias = bias }));
    }

    [Fact]
    public async Task ABatchComesBackInOrder()
    {
        await using var engine = TestEngine.Create(new HashModelRunner(64, 8), maxSequences: 3);
        var prompts = Enumerable.Range(0, 10).Select(i => $"{Text} {i}").ToList();
        var results = await engine.GenerateBatchAsync(prompts, new SamplingOptions { MaxTokens = 9 });
        for (var i = 0; i < prompts.Count; i++)
            Assert.Equal(TestEngine.Alone(TestEngine.Tokenizer.Encode(prompts[i], addSpecialTokens: true), SamplingOptions.Greedy, 9).Text, results[i].Text);
    }

    [Fact]
    public async Task IfOneOfABatchFailsItsErrorIsTheNews()
    {
        var runner = new HashModelRunner(64, 8);
        runner.OnForward = batch =>
        {
            if (batch.Entries.ToArray().Any(entry => entry.Sequence.PromptLength == 5 && entry.End > 8))
                throw new InvalidDataException("bad sequence");
        };
        await using var engine = TestEngine.Create(runner);
        var prompts = new[] { "a", "a b c d e f g h", string.Concat(Enumerable.Repeat("x", 3)) };
        var five = Enumerable.Range(1, 30).Select(n => string.Join(' ', Enumerable.Repeat("a", n))).First(text => TestEngine.Tokenizer.Encode(text, true).Length == 5);
        await Assert.ThrowsAsync<InvalidDataException>(() => engine.GenerateBatchAsync([.. prompts, five]));
    }

    [Fact]
    public async Task AStepThatFailsTakesOnlyTheGuiltyWithIt()
    {
        const int Guilty = 7;
        var runner = new HashModelRunner(64, 8);
        runner.OnForward = batch =>
        {
            foreach (var entry in batch.Entries)
            {
                if (entry.Sequence.Tokens[0] == Guilty && entry.Sequence.OutputCount == 3)
                    throw new InvalidDataException("cannot be computed");
            }
        };
        await using var engine = TestEngine.Create(runner);
        var sampling = new SamplingOptions { MaxTokens = 12 };
        var guilty = engine.CompleteAsync(new[] { Guilty, 1, 2 }, sampling);
        var others = Enumerable.Range(0, 5).Select(i => engine.CompleteAsync(SchedulerHarness.Prompt(6, i), sampling)).ToList();

        await Assert.ThrowsAsync<InvalidDataException>(() => guilty);
        for (var i = 0; i < others.Count; i++)
            Assert.Equal(TestEngine.Alone(SchedulerHarness.Prompt(6, i), sampling, 12).Text, (await others[i]).Text);
        await engine.DisposeAsync();
        Assert.Equal(0, runner.Paged.Allocator.UsedCount);
    }

    [Fact]
    public async Task BrokenBookkeepingStopsTheEngineLoudly()
    {
        var runner = new HashModelRunner(64, 8);
        // The model claims a cache length that the scheduler did not reserve.
        runner.OnForward = batch => batch.Entries[0].Sequence.Cache.Release();
        await using var engine = TestEngine.Create(runner);

        await Assert.ThrowsAnyAsync<Exception>(() => engine.CompleteAsync(SchedulerHarness.Prompt(6)));
    }

    [Fact]
    public async Task CancellationEndsTheStreamAndFreesTheMemory()
    {
        var runner = new HashModelRunner(8, 8);
        await using var engine = TestEngine.Create(runner);
        using var cancel = new CancellationTokenSource();
        var received = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in engine.GenerateAsync(SchedulerHarness.Prompt(6), cancellationToken: cancel.Token))
            {
                if (++received == 3)
                    await cancel.CancelAsync();
            }
        });
        // Needs every block, so it can only finish when the cancelled one has given its own back.
        var next = await engine.CompleteAsync(SchedulerHarness.Prompt(40, 1));
        Assert.Equal(24, next.TokenIds.Length);
        Assert.True(received is >= 3 and < 58);
    }

    [Fact]
    public async Task LeavingTheLoopEndsTheGeneration()
    {
        var runner = new HashModelRunner(8, 8);
        await using var engine = TestEngine.Create(runner);
        await foreach (var update in engine.GenerateAsync(SchedulerHarness.Prompt(6)))
            break;
        Assert.Equal(24, (await engine.CompleteAsync(SchedulerHarness.Prompt(40, 1))).TokenIds.Length);
    }

    [Fact]
    public async Task DisposingEndsEverythingAndReleasesTheModel()
    {
        var runner = new HashModelRunner(64, 8);
        var engine = TestEngine.Create(runner, maxSequences: 2);
        using var inside = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        runner.OnForward = _ =>
        {
            inside.Set();
            goOn.Wait();
        };
        var pending = Enumerable.Range(0, 4).Select(i => engine.CompleteAsync(SchedulerHarness.Prompt(6, i))).ToList();
        inside.Wait();
        var disposing = engine.DisposeAsync();
        goOn.Set();
        await disposing;

        foreach (var task in pending)
            await Assert.ThrowsAsync<ObjectDisposedException>(() => task);
        Assert.True(runner.IsDisposed);
        Assert.Equal(0, runner.Paged.Allocator.UsedCount);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => engine.CompleteAsync("late"));
        engine.Dispose();
    }

    [Fact]
    public async Task LoadReportsThePlanBeforeAndAfterLoading()
    {
        var reports = new List<LoadProgress>();
        using var factory = new FakeRunnerFactory();
        await using var engine = await LlmEngine.LoadAsync(
            Support.TestModels.Needle, new EngineOptions { MaxSequences = 4 }, factory, new ListProgress(reports), CancellationToken.None);

        Assert.Equal(("needle-16m", 16384), (engine.ModelName, engine.MaxModelLength));
        Assert.Equal([0, 1], reports.Select(report => report.Fraction));
        Assert.All(reports, report => Assert.Same(engine.Plan, report.Plan));
        Assert.Equal(5, (await engine.CompleteAsync("Hello", new SamplingOptions { MaxTokens = 5, IgnoreEos = true })).TokenIds.Length);
    }

    [Fact]
    public async Task LoadingADirectoryThatIsNoneIsRefused()
    {
        using var factory = new FakeRunnerFactory();
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => LlmEngine.LoadAsync("no-such-model", new EngineOptions(), factory, null, CancellationToken.None));
    }

    private sealed class ListProgress(List<LoadProgress> reports) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => reports.Add(value);
    }
}
