using DeltaKV.Cache;
using DeltaKV.Engine;
using DeltaKV.Tests.Cache;
using DeltaKV.Tests.Engine;

namespace DeltaKV.Tests.Chat;

/// <summary>A model that answers a rendered prompt with a given text, then ends.</summary>
internal sealed class ScriptedModelRunner(Func<string, string> answer) : IModelRunner
{
    internal const int EndToken = 5;

    private readonly Dictionary<Sequence, int[]> answers = [];
    private readonly List<int> sampled = [];

    public IKvCache Cache { get; } = new PagedKvCache(512, 16, bytesPerToken: 8, new TokenBlockStore(512, 16));

    /// <summary>The prompts as they were rendered.</summary>
    internal List<string> Prompts { get; } = [];

    public ReadOnlySpan<int> Forward(ScheduledBatch batch)
    {
        sampled.Clear();
        foreach (var entry in batch.Entries)
        {
            var sequence = entry.Sequence;
            if (!answers.TryGetValue(sequence, out var tokens))
            {
                var prompt = TestEngine.Tokenizer.Decode(sequence.Tokens);
                Prompts.Add(prompt);
                answers[sequence] = tokens = TestEngine.Tokenizer.Encode(answer(prompt));
            }
            sampled.Add(sequence.OutputCount < tokens.Length ? tokens[sequence.OutputCount] : EndToken);
        }
        return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(sampled);
    }

    public void Dispose()
    {
        // Holds no device.
    }
}
