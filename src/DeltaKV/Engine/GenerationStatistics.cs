using DeltaKV.Cache;

namespace DeltaKV.Engine;

/// <summary>What a finished generation used, measured.</summary>
public sealed record GenerationStatistics
{
    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Prompt tokens whose keys and values were still cached and not computed again.</summary>
    public required int CachedTokens { get; init; }

    /// <summary>Tokens generated, the one that ends the answer included.</summary>
    public required int OutputTokens { get; init; }

    /// <summary>From the request to its first token.</summary>
    public required TimeSpan TimeToFirstToken { get; init; }

    /// <summary>From the request to its last token.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Key/value memory of the sequence when it ended.</summary>
    public required KvUsage Kv { get; init; }

    /// <summary>
    /// The most bytes of key/value memory the sequence held at the end of a step while its prompt was computed, or when it ended: a prompt is uncompressed for
    /// the chunk that a step computes.
    /// </summary>
    public required long PeakKvBytes { get; init; }

    /// <summary>How often the sequence gave its memory back to an older one and was computed again.</summary>
    public required int Preemptions { get; init; }

    /// <summary>Tokens after the first per second; 0 when there are none.</summary>
    public double DecodeTokensPerSecond => OutputTokens > 1 && Duration > TimeToFirstToken
        ? (OutputTokens - 1) / (Duration - TimeToFirstToken).TotalSeconds
        : 0;
}
