using DeltaKV.Compression.Eviction;
using DeltaKV.Tokenization;
using DeltaKV.Weights;

namespace DeltaKV.Compression.KvZip;

/// <summary>
/// Has the model repeat the prompt and keeps, per key/value head, what it needed for that: whatever is asked later, the answer comes out of the same tokens. Of all
/// (layer, head, token) those that received least attention go first, whichever layer they are in.
/// </summary>
/// <remarks>
/// Settings: <c>budget</c> or <c>share</c> (the average over layers), <c>chunk</c> (2048, tokens repeated at once). A token's score is the most attention that any query of the
/// repetition, of any query head of its group, paid to it. Reading the prompt again doubles its time. Deviations: the softmax is over everything that is stored and not over the
/// repeated part alone; the heads of a layer keep equally many tokens, as many as the layer's share of the best scores comes to; 4 sinks and the last 8 tokens stay.
/// Source: Kim et al., KVzip: query-agnostic KV cache compression with context reconstruction, 2025.
/// </remarks>
internal sealed class KvZipPolicy(TokenBudget budget, int chunkTokens, int[] instruction, int layers) : IProbingPolicy
{
    private const int DefaultChunk = 2048;
    private const int LargestShare = 3;
    private const int Newest = 8;
    private const string Request = "\n\nRepeat the previous context exactly.\n\n";

    public AttentionScoring Scoring { get; } = new();

    public int Sinks => 4;

    public int ChunkTokens => chunkTokens;

    public ReadOnlySpan<int> Instruction => instruction;

    /// <summary>From a method's settings. Without a model's tokenizer the prompt is repeated unasked.</summary>
    internal static KvZipPolicy Create(KvMethodSpec spec, ModelConfig config, ModelWeights? weights)
    {
        spec.Allow([.. TokenBudget.Settings, "chunk"]);
        var chunk = spec.Number("chunk", DefaultChunk);
        if (chunk < TokenBudget.Least)
            throw new ArgumentException($"The setting 'chunk' of '{spec}' is {chunk}, expected at least {TokenBudget.Least}.");
        var hasTokenizer = weights is not null && File.Exists(Path.Combine(weights.Directory, "tokenizer.json"));
        return new KvZipPolicy(TokenBudget.Of(spec), chunk, hasTokenizer ? Tokenizer.Load(weights!.Directory).Encode(Request) : [], config.LayerCount);
    }

    public int Budget(int layer, int promptTokens) => budget.For(promptTokens);

    public int Recent(int budget) => Math.Min(Newest, budget);

    public int LargestBudget(int promptTokens) => (int)Math.Min((long)LargestShare * budget.Average(promptTokens), promptTokens) + EvictionFormat.BlockTokens;

    public int[] Distribute(ReadOnlySpan<int> marks, int keyHeads, int promptTokens)
    {
        // From the largest marks down, whole buckets over all layers, until one is too many; of that one every layer gets the same part.
        var left = (double)budget.Average(promptTokens) * keyHeads * layers;
        var kept = new double[layers];
        for (var bucket = MarkHistogram.Buckets - 1; bucket >= 0 && left > 0; bucket--)
        {
            var count = 0;
            for (var layer = 0; layer < layers; layer++)
                count += marks[(layer * MarkHistogram.Buckets) + bucket];
            var part = Math.Min(1, left / Math.Max(count, 1));
            for (var layer = 0; layer < layers; layer++)
                kept[layer] += part * marks[(layer * MarkHistogram.Buckets) + bucket];
            left -= count;
        }

        var largest = Math.Min(LargestShare * budget.Average(promptTokens), promptTokens);
        return [.. kept.Select(pairs => budget.Aligned(promptTokens, Math.Clamp((int)Math.Round(pairs / keyHeads), Math.Min(TokenBudget.Least, promptTokens), Math.Max(largest, TokenBudget.Least))))];
    }
}
