using System.Collections.Immutable;
using DeltaKV.Engine;
using DeltaKV.Kernels;
using DeltaKV.Tests.Kernels.Sampling;

namespace DeltaKV.Tests.Model;

/// <summary>
/// What running sequences sample is what the reference samples from the logits of their tokens so far: parameters, counts and biases follow their
/// sequence through slots that others used before, and through preemption.
/// </summary>
public sealed class TokenSamplerTests
{
    private const int Blocks = 6;
    private const long Seed = 77;

    private static readonly SamplingOptions[] Kinds =
    [
        SamplingOptions.Greedy with { RepetitionPenalty = 1.5f, FrequencyPenalty = 0.2f },
        new() { Temperature = 1 },
        new() { Temperature = 1.4f, TopK = 12, TopP = 0.9f, MinP = 0.02f },
        new() { Temperature = 0.8f, PresencePenalty = 1, FrequencyPenalty = 0.3f, RepetitionPenalty = 1.2f },
        new() { Temperature = 1, LogitBias = ImmutableDictionary<int, float>.Empty.Add(20, 2).Add(21, -3), RepetitionPenalty = 0.8f },
        SamplingOptions.Greedy with { LogitBias = ImmutableDictionary<int, float>.Empty.Add(40, 1.5f), PresencePenalty = 0.7f },
    ];

    [Fact]
    public async Task EveryTokenIsTheReferences()
    {
        using var model = new TinyModel(9);
        var requests = Enumerable.Range(0, 24).Select(i => (Prompt: Enumerable.Range(0, 1 + (i * 7 % 90)).Select(j => ((i * 37) + (j * j * 11)) % TinyModel.Vocabulary).ToArray(),
            Options: Kinds[i % Kinds.Length] with { Seed = Seed + i, MaxTokens = i < 8 ? 130 : 20 })).ToList();
        var engineOptions = new EngineOptions { Precision = ModelPrecision.FullPrecision, MaxSequences = 6, MaxBatchTokens = 64 };
        var (engine, _) = DeviceEngine.OpenWithBlocks(model.Path, engineOptions, Blocks, []);
        await using (engine)
        {
            var answers = await Task.WhenAll(requests.Select(request => engine.CompleteAsync(request.Prompt, request.Options)));
            Assert.True(engine.Load.Preemptions > 0, "the cache was not tight enough to test anything");

            var accelerator = TestAccelerators.Default;
            using var judge = new ModelHarness<float>(accelerator, model.Path, 256, shape => new SingleKernels(accelerator, shape));
            var (tokens, others) = (0, 0);
            for (var i = 0; i < requests.Count; i++)
            {
                var (prompt, options) = requests[i];
                int[] answer = [.. answers[i].TokenIds];
                judge.Restart();
                var logits = judge.Run([.. prompt, .. answer]);
                for (var at = 0; at < answer.Length; at++, tokens++)
                    others += answer[at] == SamplingReference.Sample(logits[prompt.Length + at - 1], options, Seed + i, prompt, answer[..at]) ? 0 : 1;
            }

            // The judge computes whole sequences. On the CPU every row is the same to the last bit; a GPU may fuse other products in the kernel for prompts.
            Assert.InRange(others, 0, TestAccelerators.UseCuda ? tokens / 100 : 0);
        }
    }
}
