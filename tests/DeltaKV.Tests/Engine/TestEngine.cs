using System.Collections.Immutable;
using DeltaKV.Engine;
using DeltaKV.Tests.Support;
using DeltaKV.Tokenization;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Engine;

/// <summary>Engines over <see cref="HashModel"/> with the tokenizer and configuration of needle-16m.</summary>
internal static class TestEngine
{
    internal static ModelConfig Config { get; } = ModelConfig.Load(TestModels.Needle);

    internal static Tokenizer Tokenizer { get; } = Tokenizer.Load(TestModels.Needle);

    internal static LlmEngine Create(HashModelRunner runner, int maxSequences = 8, int maxBatchTokens = 128, string? directory = null, params int[] eos)
    {
        var allocator = runner.Paged.Allocator;
        var options = new EngineOptions { MaxSequences = maxSequences, MaxBatchTokens = maxBatchTokens };
        var plan = new MemoryPlan
        {
            Device = "test", BudgetBytes = 0, WeightBytes = 0, WorkspaceBytes = 0, KvBytesPerToken = runner.Paged.BytesPerToken,
            BlockSize = allocator.BlockSize, BlockCount = allocator.BlockCount, MaxModelLength = allocator.BlockCount * allocator.BlockSize,
        };
        return new LlmEngine(directory ?? TestModels.Needle, Config, new GenerationDefaults { EosTokenIds = [.. eos] }, Tokenizer, plan, options, runner);
    }

    /// <summary>Tokens, text and reason of a request that is alone, computed without an engine.</summary>
    internal static (ImmutableArray<int> Tokens, string Text, FinishReason Reason) Alone(
        IReadOnlyList<int> prompt, SamplingOptions sampling, int maxTokens, params int[] eos)
    {
        var generated = HashModel.Generate(prompt, sampling, maxTokens, eos);
        for (var count = 1; count <= generated.Count && !sampling.StopSequences.IsEmpty; count++)
        {
            // Incomplete characters never end a stop sequence of whole ones, so decoding a prefix is enough here.
            var text = Tokenizer.Decode(generated.Take(count).ToArray(), skipSpecialTokens: true);
            var ends = sampling.StopSequences.Select(stop => (Stop: stop, Start: text.IndexOf(stop, StringComparison.Ordinal))).Where(found => found.Start >= 0).ToList();
            var isEos = !sampling.IgnoreEos && eos.Contains(generated[count - 1]);
            if (ends.Count == 0 || isEos)
                continue;
            var first = ends.OrderBy(found => found.Start + found.Stop.Length).ThenBy(found => found.Start).First();
            return ([.. generated.Take(count)], text[..first.Start], FinishReason.StopSequence);
        }
        var reason = !sampling.IgnoreEos && eos.Contains(generated[^1]) ? FinishReason.EndOfText : FinishReason.Length;
        var visible = reason == FinishReason.EndOfText ? generated.SkipLast(1) : generated;
        return ([.. generated], Tokenizer.Decode(visible.ToArray(), skipSpecialTokens: true), reason);
    }
}
