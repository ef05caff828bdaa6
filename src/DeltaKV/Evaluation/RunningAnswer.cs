using System.Diagnostics;
using DeltaKV.Cache;

namespace DeltaKV.Evaluation;

/// <summary>An answer in the making: its sequence, all tokens so far, and what it took.</summary>
/// <param name="sequence">The sequence; released by <see cref="Finish"/>.</param>
/// <param name="prompt">The tokens before the answer.</param>
/// <param name="maximumTokens">The longest answer.</param>
internal sealed class RunningAnswer(ISequenceCache sequence, int[] prompt, int maximumTokens)
{
    private readonly List<int> tokens = [.. prompt];
    private readonly long start = Stopwatch.GetTimestamp();
    private TimeSpan first;
    private TimeSpan decoding;
    private long peakBytes;

    /// <summary>Where its keys and values are.</summary>
    internal ISequenceCache Sequence => sequence;

    /// <summary>Prompt and answer so far.</summary>
    internal List<int> Tokens => tokens;

    /// <summary>Whether nothing more comes.</summary>
    internal bool IsDone { get; private set; }

    private int Count => tokens.Count - prompt.Length;

    /// <summary>The prompt is computed, and this is the model's choice after it.</summary>
    internal void Begin(int token, bool isEnd, int maximumLength)
    {
        first = Stopwatch.GetElapsedTime(start);
        Take(token, isEnd, maximumLength);
    }

    /// <summary>A decode step took so long and chose a token.</summary>
    internal void Go(TimeSpan step, int token, bool isEnd, int maximumLength)
    {
        // Only steps count: between them others' prompts may have been computed.
        decoding += step;
        Take(token, isEnd, maximumLength);
    }

    /// <summary>Looks at what is held; called before a flush, when it is most.</summary>
    internal void Observe(ISequenceCache held) => peakBytes = Math.Max(peakBytes, held.Usage.TotalBytes);

    /// <summary>Lets go of the sequence and says what came out.</summary>
    /// <param name="contextMs">What the context took before.</param>
    /// <param name="contextPeakBytes">The most it held.</param>
    internal EvaluationAnswer Finish(double contextMs, long contextPeakBytes)
    {
        var usage = sequence.Usage;
        sequence.Release();
        return new EvaluationAnswer(
            [.. tokens[prompt.Length..]],
            contextMs + first.TotalMilliseconds,
            Count > 1 ? (Count - 1) / decoding.TotalSeconds : 0,
            usage.TotalBytes,
            usage.FullBytes,
            Math.Max(peakBytes, contextPeakBytes));
    }

    /// <summary>A token of the answer, or the end of the turn.</summary>
    private void Take(int token, bool isEnd, int maximumLength)
    {
        if (!isEnd)
            tokens.Add(token);
        IsDone = isEnd || Count >= maximumTokens || tokens.Count >= maximumLength;
    }
}
