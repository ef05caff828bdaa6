using DeltaKV.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Chat;

/// <summary>Keys of <see cref="UsageDetails.AdditionalCounts"/> in responses of this library.</summary>
public static class UsageCounts
{
    /// <summary>Bytes of key/value memory the sequence held when it ended, everything included.</summary>
    public const string KvBytes = "deltakv.kv_bytes";

    /// <summary>Bytes an uncompressed bf16 cache of the same tokens holds.</summary>
    public const string KvFullBytes = "deltakv.kv_full_bytes";

    /// <summary>The most bytes of key/value memory the sequence held while its prompt was computed, or when it ended.</summary>
    public const string KvPeakBytes = "deltakv.kv_peak_bytes";

    /// <summary>How often the request gave its memory back to an older one and was computed again.</summary>
    public const string Preemptions = "deltakv.preemptions";

    internal static UsageDetails ToUsage(GenerationStatistics statistics, int reasoningTokens) => new()
    {
        InputTokenCount = statistics.PromptTokens,
        OutputTokenCount = statistics.OutputTokens,
        TotalTokenCount = statistics.PromptTokens + statistics.OutputTokens,
        CachedInputTokenCount = statistics.CachedTokens,
        ReasoningTokenCount = reasoningTokens,
        AdditionalCounts = new AdditionalPropertiesDictionary<long>
        {
            [KvBytes] = statistics.Kv.TotalBytes,
            [KvFullBytes] = statistics.Kv.FullBytes,
            [KvPeakBytes] = statistics.PeakKvBytes,
            [Preemptions] = statistics.Preemptions,
        },
    };
}
