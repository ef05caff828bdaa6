using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>How many tokens a layer keeps: a number, or a share of the prompt.</summary>
/// <param name="Tokens">That many; 0: the share decides.</param>
/// <param name="Share">Of the prompt, 0 to 1.</param>
internal readonly record struct TokenBudget(int Tokens, double Share)
{
    /// <summary>The least that a share comes to.</summary>
    internal const int Least = 32;

    private const double DefaultPercent = 25;

    /// <summary>Settings every eviction method has.</summary>
    internal static readonly string[] Settings = ["budget", "share"];

    /// <summary>Reads <c>budget=TOKENS</c> or <c>share=PERCENT</c>; a quarter of the prompt if neither is there.</summary>
    internal static TokenBudget Of(KvMethodSpec spec)
    {
        var tokens = spec.Number("budget", 0);
        var percent = spec.Real("share", DefaultPercent);
        if (spec.Text("budget") is not null && spec.Text("share") is not null)
            throw new ArgumentException($"'{spec}' has a budget in tokens and a share of the prompt; give one of them.");
        if (spec.Text("budget") is not null && tokens < Least)
            throw new ArgumentException($"The budget of '{spec}' is {tokens}, expected at least {Least} tokens.");
        if (percent is not (> 0 and <= 100))
            throw new ArgumentException($"The share of '{spec}' is {percent}, expected more than 0 up to 100 percent.");
        return new TokenBudget(tokens, tokens > 0 ? 0 : percent / 100);
    }

    /// <summary>The same before it is made to fit blocks.</summary>
    internal int Average(int promptTokens) => Tokens > 0 ? Tokens : (int)(Share * promptTokens);

    /// <summary>Tokens kept of a prompt of that length.</summary>
    /// <remarks>A share is one of bytes, so it ends at the border of a block; a number of tokens is that number.</remarks>
    internal int For(int promptTokens) => Tokens > 0 ? Tokens : Aligned(promptTokens, Average(promptTokens), (1 << KvBlockLayout.Shift) - 1);

    /// <summary>The same budget where a layer gets another part of it.</summary>
    internal int Aligned(int promptTokens, int tokens) => Tokens > 0 ? tokens : Aligned(promptTokens, tokens, 1 << (KvBlockLayout.Shift - 1));

    private static int Aligned(int promptTokens, int tokens, int rounding)
    {
        if (tokens >= promptTokens)
            return promptTokens;
        var start = (promptTokens - tokens + rounding) >> KvBlockLayout.Shift << KvBlockLayout.Shift;
        return Math.Max(promptTokens - start, Math.Min(promptTokens, Least));
    }
}
