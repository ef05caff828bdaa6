using System.Diagnostics;
using DeltaKV.Cache;

namespace DeltaKV.Evaluation;

/// <summary>
/// A context that questions continue from. Between questions nothing is held but what the cache keeps of finished sequences for reuse: a question is a new sequence that
/// begins with the context as it was compressed.
/// </summary>
internal sealed class DeviceContext : IEvaluationContext
{
    private readonly DeviceSession session;
    private readonly List<int> history = [];
    private readonly double contextMs;
    private long peakBytes;

    internal DeviceContext(DeviceSession session, ReadOnlySpan<int> context)
    {
        this.session = session;
        history.AddRange(context);
        if (context.IsEmpty)
            return;
        var clock = Stopwatch.StartNew();
        var sequence = Run(history, out _);
        contextMs = clock.Elapsed.TotalMilliseconds;
        sequence.Release();
    }

    public EvaluationAnswer Ask(ReadOnlySpan<int> turn, int maximumTokens, bool keep)
    {
        var tokens = new List<int>(history);
        tokens.AddRange(turn);
        var clock = Stopwatch.StartNew();
        var sequence = Run(tokens, out var next);
        var firstMs = clock.Elapsed.TotalMilliseconds;
        var answer = new List<int>();
        while (!session.IsEnd(next) && answer.Count < maximumTokens)
        {
            answer.Add(next);
            tokens.Add(next);
            if (answer.Count < maximumTokens)
                next = session.Decode(sequence, tokens.ToArray());
            Observe(sequence);
        }

        var decodeSeconds = (clock.Elapsed.TotalMilliseconds - firstMs) / 1000;
        var usage = sequence.Usage;
        sequence.Release();
        if (keep)
        {
            history.Clear();
            history.AddRange(tokens);
        }

        return new EvaluationAnswer(
            [.. answer],
            contextMs + firstMs,
            answer.Count > 1 ? (answer.Count - 1) / decodeSeconds : 0,
            usage.TotalBytes,
            usage.FullBytes,
            peakBytes);
    }

    public void Score(ReadOnlySpan<int> tokens, LogitsHandler logits)
    {
        int[] all = [.. history, .. tokens];
        // Nothing beyond the history may be taken over: its logits are wanted.
        var sequence = session.Open(all.AsSpan(0, history.Count + 1));
        session.Extend(sequence, all, history.Count);
        session.Score(sequence, all, history.Count, logits);
        sequence.Release();
    }

    public void Dispose()
    {
    }

    /// <summary>Opens a sequence of these tokens, computes what is not kept, and says what comes next.</summary>
    private ISequenceCache Run(List<int> tokens, out int next)
    {
        var all = tokens.ToArray();
        var sequence = session.Open(all);
        next = session.Extend(sequence, all, all.Length, Observe);
        return sequence;
    }

    private void Observe(ISequenceCache sequence) => peakBytes = Math.Max(peakBytes, sequence.Usage.TotalBytes);
}
