namespace DeltaKV.Cache.Selection;

/// <summary>How many tokens of compressed history the layers after an observation layer read: the larger of a number and a share, and one at least.</summary>
/// <param name="Tokens">Tokens, at least.</param>
/// <param name="Share">Share of the compressed tokens, at least.</param>
internal readonly record struct SelectionBudget(int Tokens, float Share)
{
    /// <summary>Everything is read.</summary>
    internal static SelectionBudget All => default;

    /// <summary>Whether anything is selected at all.</summary>
    internal bool Selects => Tokens > 0 || Share > 0;

    /// <summary>The most tokens a list can hold.</summary>
    internal int MaxTokens(int sequenceTokens) => Math.Max(Math.Max(Tokens, 1), (int)(Share * sequenceTokens));

    /// <summary>Whether nothing is ever left out of a sequence of that many tokens.</summary>
    internal bool Covers(int sequenceTokens) => !Selects || MaxTokens(sequenceTokens) >= sequenceTokens;
}
