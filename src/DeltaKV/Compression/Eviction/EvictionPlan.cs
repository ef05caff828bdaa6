namespace DeltaKV.Compression.Eviction;

/// <summary>When a sequence is evicted from, and how much every layer keeps then.</summary>
/// <remarks>The prompt is what was admitted first: a sequence computed again after preemption is evicted from at the same length.</remarks>
internal sealed class EvictionPlan(EvictionFormat format)
{
    /// <summary>A policy that keeps its budget while decoding evicts when so many tokens are there beyond it.</summary>
    private const int DecodingSlack = EvictionFormat.BlockTokens;

    /// <summary>A prompt that continues from what was kept is left alone until so many tokens are there beyond its budget.</summary>
    private const int ContinuingSlack = 4 * EvictionFormat.BlockTokens;

    private int[] prompt = [];

    /// <summary>The length of the prompt.</summary>
    internal int PromptLength => prompt.Length;

    /// <summary>Whether it is complete, and what had to be evicted at its end has been.</summary>
    internal bool IsPromptDone { get; set; }

    /// <summary>Tokens that every layer keeps.</summary>
    internal int[] Budgets { get; } = new int[format.LayerCount];

    /// <summary>What was admitted before and is admitted again, further on, keeps its prompt.</summary>
    internal void Begin(ReadOnlySpan<int> tokens)
    {
        if (prompt.Length == 0 || !tokens.StartsWith(prompt))
            prompt = tokens.ToArray();
        for (var layer = 0; layer < Budgets.Length; layer++)
            Budgets[layer] = Math.Max(format.Policy.Budget(layer, prompt.Length), format.Policy.Sinks + 1);
    }

    /// <summary>The next length at which a step must end.</summary>
    internal int NextBorder(int length, LayerBlocks[] layers)
    {
        if (length < PromptLength)
            return PromptLength;
        if (!format.Policy.WhileDecoding)
            return int.MaxValue;
        var border = int.MaxValue;
        for (var layer = 0; layer < Budgets.Length; layer++)
            border = (int)Math.Min(border, layers[layer].Start + (long)Budgets[layer] + DecodingSlack);
        return border;
    }

    /// <summary>Whether something must go at a length.</summary>
    /// <param name="length">The length.</param>
    /// <param name="layers">Where the layers begin.</param>
    /// <param name="evictedEnd">The length at the last eviction; 0: there was none.</param>
    internal bool MustEvict(int length, LayerBlocks[] layers, int evictedEnd)
    {
        if (length < PromptLength || (IsPromptDone && !format.Policy.WhileDecoding))
            return false;
        // What has been coded carries no marks any more.
        if (format is { Kept: not null, HasMarks: true } && evictedEnd > 0)
            return false;
        var slack = IsPromptDone || format.Policy.WhileDecoding ? DecodingSlack - 1 : ContinuingSlack - 1;
        if (!IsPromptDone && evictedEnd == 0)
            slack = 0;
        for (var layer = 0; layer < Budgets.Length; layer++)
        {
            if (length - layers[layer].Start > (long)Budgets[layer] + slack)
                return true;
        }

        return false;
    }
}
