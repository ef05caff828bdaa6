using DeltaKV.Cache;
using DeltaKV.Engine;
using DeltaKV.Model;
using DeltaKV.Tests.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Engine;

/// <summary>A small model with a key/value method behind the scheduler, without threads: which requests share a step depends on the seed alone.</summary>
internal sealed class MethodRun : IDisposable
{
    internal const int MaxLength = 320;
    internal const int MaxBatchTokens = 512;

    private const int Vocabulary = 128;
    private const int MaxSteps = 5000;

    private readonly IModelRunner runner;
    private readonly int sequences;

    /// <param name="model">A fixture.</param>
    /// <param name="method">The method.</param>
    /// <param name="sequences">The most that share a step.</param>
    /// <param name="tokens">Uncompressed tokens whose memory history gets.</param>
    /// <param name="prefixCaching">Whether prompts start from what was kept.</param>
    internal MethodRun(string model, string method, int sequences, int tokens, bool prefixCaching)
    {
        this.sequences = sequences;
        var directory = DeviceEngine.Fixture(model);
        var options = Options(directory, method, sequences, tokens) with { PrefixCaching = prefixCaching };
        using var factory = new DeviceRunnerFactory(TestAccelerators.Default);
        var config = ModelConfig.Load(directory);
        using var weights = ModelWeights.Open(directory);
        runner = factory.Create(config, weights, factory.Plan(config, weights, options), options, null, CancellationToken.None);
    }

    internal IKvCache Cache => runner.Cache;

    /// <summary>How often a sequence had to leave.</summary>
    internal long Preemptions { get; private set; }

    internal static EngineOptions Options(string directory, string method, int sequences, int tokens) => new()
    {
        MaxSequences = sequences,
        MaxBatchTokens = MaxBatchTokens,
        MaxModelLength = MaxLength,
        KvMethod = method,
        KvCacheBytes = tokens * ModelConfig.Load(directory).KvBytesPerToken,
    };

    internal static int[] Words(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(Vocabulary))];

    internal static Sequence Request(int[] prompt, int answer) => new(prompt, SamplingOptions.Greedy with { IgnoreEos = true }, answer, []);

    /// <summary>Answers requests, which come one by one while others are under way; some are cancelled once they have so many tokens.</summary>
    internal void Answer(Random random, Sequence[] requests, int[] cancelAfter)
    {
        var scheduler = new Scheduler(Cache, sequences, MaxBatchTokens);
        var arrived = 0;
        for (var steps = 0; arrived < requests.Length || scheduler.HasWork; steps++)
        {
            Assert.True(steps < MaxSteps, $"The requests are not answered after {steps} steps.");
            if (arrived < requests.Length && random.Next(3) > 0)
                scheduler.Add(requests[arrived++]);
            for (var i = 0; i < cancelAfter.Length; i++)
            {
                if (requests[i].OutputCount >= cancelAfter[i])
                    requests[i].Cancel();
            }

            var batch = scheduler.Next();
            if (batch.Count > 0)
                scheduler.Commit(batch, runner.Forward(batch));
        }

        Preemptions += scheduler.Preemptions;
    }

    public void Dispose() => runner.Dispose();
}
