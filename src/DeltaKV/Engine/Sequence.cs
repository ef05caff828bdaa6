using System.Collections.Immutable;
using System.Diagnostics;
using System.Threading.Channels;
using DeltaKV.Cache;

namespace DeltaKV.Engine;

/// <summary>One request on its way through the engine: its tokens, what it owns of the cache, and the channel to its caller.</summary>
/// <remarks>Changed by the engine thread only, except for <see cref="Cancel"/> and the reading end of <see cref="Events"/>.</remarks>
internal sealed class Sequence
{
    internal const int NoSlot = -1;
    private const int LargestInitialReserve = 4096;

    private readonly Channel<SequenceEvent> events =
        Channel.CreateUnbounded<SequenceEvent>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly TextStream? stops;
    private int[] tokens;
    private int count;
    private volatile bool cancelled;

    /// <param name="prompt">At least one token.</param>
    /// <param name="options">How to sample.</param>
    /// <param name="maxTokens">Most tokens to generate, already limited to what the context holds.</param>
    /// <param name="eosTokenIds">Tokens that end the answer.</param>
    /// <param name="stops">The sequence's own text, if it has stop sequences.</param>
    internal Sequence(ReadOnlySpan<int> prompt, SamplingOptions options, int maxTokens, ImmutableArray<int> eosTokenIds, TextStream? stops = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTokens);
        tokens = new int[prompt.Length + Math.Min(maxTokens, LargestInitialReserve)];
        prompt.CopyTo(tokens);
        count = PromptLength = prompt.Length;
        Options = options;
        MaxTokens = maxTokens;
        EosTokenIds = options.IgnoreEos ? [] : eosTokenIds;
        this.stops = stops;
        Seed = options.Seed ?? Random.Shared.NextInt64();
        SubmittedAt = Stopwatch.GetTimestamp();
    }

    internal SamplingOptions Options { get; }

    /// <summary>Seed of all draws of this sequence; the draw at a position depends on seed and position only.</summary>
    internal long Seed { get; }

    internal int PromptLength { get; }

    internal int MaxTokens { get; }

    internal ImmutableArray<int> EosTokenIds { get; }

    /// <summary>Prompt and answer so far.</summary>
    internal ReadOnlySpan<int> Tokens => tokens.AsSpan(0, count);

    internal int OutputCount => count - PromptLength;

    /// <summary>Order of arrival; the smallest is the oldest.</summary>
    internal long Arrival { get; set; }

    /// <summary>What the sequence owns of the cache; set when it enters a scheduler.</summary>
    internal ISequenceCache Cache { get; set; } = null!;

    /// <summary>
    /// While running, a number below the limit of sequences that no other running sequence has; <see cref="NoSlot"/> otherwise. Device
    /// state kept per sequence is indexed by it and must be rebuilt from <see cref="Tokens"/> when <see cref="Admissions"/> changes.
    /// </summary>
    internal int Slot { get; set; } = NoSlot;

    /// <summary>How often the sequence was admitted; more than once after preemption.</summary>
    internal int Admissions { get; set; }

    /// <summary>Prompt tokens found in the cache at first admission.</summary>
    internal int CachedTokens { get; set; }

    /// <summary>Tokens of this sequence that the batch being planned computes.</summary>
    internal int Planned { get; set; }

    /// <summary>Tokens whose keys and values are not computed yet; 1 when decoding; those of a probe before any of its own.</summary>
    internal int Remaining => IsProbing ? Cache.Probe.Length : count - Cache.Length;

    /// <summary>Whether the cache asked for tokens that are not the sequence's own.</summary>
    internal bool IsProbing => Cache.Probe.Length > 0;

    /// <summary>How many of them the next step may compute.</summary>
    internal int Computable => Math.Min(Remaining, Cache.StepLimit);

    internal FinishReason? Finish { get; private set; }

    internal bool IsEnded { get; private set; }

    internal bool IsCancelled => cancelled;

    /// <summary>Bytes held when the sequence ended.</summary>
    internal KvUsage FinalUsage { get; private set; }

    /// <summary>The most bytes held at the end of a step of the prompt, or at the end.</summary>
    internal long PeakKvBytes { get; private set; }

    internal long SubmittedAt { get; }

    internal long FirstTokenAt { get; private set; }

    internal long EndedAt { get; private set; }

    /// <summary>What was used; complete once the sequence has finished.</summary>
    internal GenerationStatistics Statistics => new()
    {
        PromptTokens = PromptLength,
        CachedTokens = CachedTokens,
        OutputTokens = OutputCount,
        TimeToFirstToken = Stopwatch.GetElapsedTime(SubmittedAt, FirstTokenAt),
        Duration = Stopwatch.GetElapsedTime(SubmittedAt, EndedAt),
        Kv = FinalUsage,
        PeakKvBytes = PeakKvBytes,
        Preemptions = Math.Max(0, Admissions - 1),
    };

    /// <summary>The generated tokens; completes when the sequence ends, with an error if it failed.</summary>
    internal ChannelReader<SequenceEvent> Events => events.Reader;

    /// <summary>From any thread: the result is not wanted any more. Its memory returns at the next border of a step.</summary>
    internal void Cancel() => cancelled = true;

    /// <summary>Looks at what the sequence holds before a step's chunk of its prompt is compressed.</summary>
    internal void ObserveMemory() => PeakKvBytes = Math.Max(PeakKvBytes, Cache.Usage.TotalBytes);

    /// <summary>Appends a sampled token, tells the caller and decides whether it is the last.</summary>
    internal void Append(int token)
    {
        if (count == tokens.Length)
            Array.Resize(ref tokens, tokens.Length * 2);
        tokens[count++] = token;
        if (OutputCount == 1)
            FirstTokenAt = Stopwatch.GetTimestamp();
        Finish = ReasonToStop(token);
        if (Finish is not null)
            RecordEnd();
        events.Writer.TryWrite(new SequenceEvent(token, Finish));
    }

    /// <summary>Ends the sequence: closes the channel, with the error if there is one.</summary>
    internal void End(Exception? error = null)
    {
        if (!IsEnded && Finish is null)
            RecordEnd();
        IsEnded = true;
        events.Writer.TryComplete(error);
    }

    private FinishReason? ReasonToStop(int token)
    {
        if (EosTokenIds.Contains(token))
            return FinishReason.EndOfText;
        if (ReachesStop(token))
            return FinishReason.StopSequence;
        return OutputCount == MaxTokens ? FinishReason.Length : null;
    }

    private bool ReachesStop(int token)
    {
        if (stops is null)
            return false;
        stops.Append(token);
        return stops.IsStopped;
    }

    private void RecordEnd()
    {
        EndedAt = Stopwatch.GetTimestamp();
        FinalUsage = Cache?.Usage ?? default;
        PeakKvBytes = Math.Max(PeakKvBytes, FinalUsage.TotalBytes);
    }
}
