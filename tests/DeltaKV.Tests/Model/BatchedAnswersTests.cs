using DeltaKV.Engine;
using DeltaKV.Kernels;

namespace DeltaKV.Tests.Model;

/// <summary>Greedy answers in bf16, many at once over a tight cache, judged token by token by the float32 model.</summary>
/// <remarks>
/// bf16 kernels choose their tiles and splits by the number of rows, so the last bits of a logit depend on the batch and a near-tie may fall
/// either way. Therefore every answer is read by the float32 model, and each token must be the best one there or within bf16 rounding of it:
/// the logits' error is 1e-2 of their norm at most (GoldenLogitsTests), and six times that root mean square bounds the difference of two of
/// them. Two unrelated tokens are some forty times as far apart.
/// </remarks>
public sealed class BatchedAnswersTests
{
    private const int Requests = 48;
    private const int Blocks = 8;
    private const double Rounding = 6e-2;

    [Theory]
    [InlineData("llama", 5, "full")]
    [InlineData("qwen3", 6, "full")]
    // Budgets that no sequence exceeds, though one might: lists are made and everything is read.
    [InlineData("llama", 7, "quest:top=256,dense=0")]
    [InlineData("llama", 8, "omnikv:observers=0,top=256,heads=each")]
    public async Task EveryTokenIsTheBestWithinRounding(string model, int seed, string method)
    {
        var directory = DeviceEngine.Fixture(model);
        var random = new Random(seed);
        var accelerator = TestAccelerators.Default;
        using var judge = new ModelHarness<float>(accelerator, directory, 256, shape => new SingleKernels(accelerator, shape));
        int[][] prompts = [.. Enumerable.Range(0, Requests).Select(_ => RandomPrompt(random, judge.Config.VocabularySize))];
        SamplingOptions[] sampling = [.. prompts.Select((_, i) => SamplingOptions.Greedy with { IgnoreEos = true, MaxTokens = i % 6 == 0 ? 140 : random.Next(1, 16) })];
        var (engine, cache) = DeviceEngine.OpenWithBlocks(directory, new EngineOptions { MaxSequences = 12, MaxBatchTokens = 80, KvMethod = method }, Blocks, []);
        await using (engine)
        {
            var answers = await Task.WhenAll(prompts.Zip(sampling, (prompt, options) => Task.Run(() => engine.CompleteAsync(prompt, options))));
            Assert.True(engine.Load.Preemptions > 0, $"seed {seed}: the cache was not tight enough to test anything");
            for (var i = 0; i < Requests; i++)
            {
                Assert.Equal(sampling[i].MaxTokens, answers[i].TokenIds.Length);
                AssertBest(judge, prompts[i], [.. answers[i].TokenIds], $"{model}, {method}, seed {seed}, request {i}");
            }
        }

        Assert.Equal(0, cache.Allocator.UsedCount);
    }

    private static int[] RandomPrompt(Random random, int vocabulary) => [.. Enumerable.Range(0, random.Next(1, 90)).Select(_ => random.Next(vocabulary))];

    private static void AssertBest(ModelHarness<float> judge, int[] prompt, int[] answer, string what)
    {
        judge.Restart();
        var rows = judge.Run([.. prompt, .. answer]);
        for (var i = 0; i < answer.Length; i++)
        {
            var logits = rows[prompt.Length + i - 1];
            var lag = (logits.Max() - logits[answer[i]]) / Math.Sqrt(logits.Average(logit => (double)logit * logit));
            Assert.True(lag <= Rounding, $"{what}, token {i}: {answer[i]} is {lag:g3} of the logits' size below the best, more than rounding ({Rounding})");
        }
    }
}
