using System.Diagnostics;
using DeltaKV.Cache;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Evaluation;

/// <summary>
/// A context that questions continue from. Between questions nothing is held but what the cache keeps of finished sequences for reuse: a question is a new sequence that
/// begins with the context as it was compressed.
/// </summary>
internal sealed class DeviceContext : IEvaluationContext
{
    private readonly DeviceSession session;
    private readonly List<int> history = [];
    private bool isPrefilled;
    private double contextMs;
    private long peakBytes;

    internal DeviceContext(DeviceSession session, ReadOnlySpan<int> context)
    {
        this.session = session;
        history.AddRange(context);
        isPrefilled = context.IsEmpty;
    }

    public EvaluationAnswer Ask(ReadOnlySpan<int> turn, int maximumTokens, bool keep)
    {
        var answer = AskEach([new EvaluationTurn([.. turn], maximumTokens)])[0];
        if (keep)
        {
            history.AddRange(turn);
            history.AddRange(answer.Tokens);
            peakBytes = answer.PeakKvBytes;
        }

        return answer;
    }

    /// <summary>Prompts one by one, then as many answers at once as the session decodes and the cache holds.</summary>
    public IReadOnlyList<EvaluationAnswer> AskEach(IReadOnlyList<EvaluationTurn> turns)
    {
        if (!isPrefilled)
            Prefill();
        var answers = new EvaluationAnswer[turns.Count];
        var waiting = new Queue<int>(Enumerable.Range(0, turns.Count));
        var running = new List<(int Question, RunningAnswer Answer)>();
        try
        {
            while (waiting.Count > 0 || running.Count > 0)
            {
                // What ended leaves room, and others begin before the next step; trying to also makes the context the most recently used, behind what the answers leave.
                do
                    Begin(turns, waiting, running);
                while (Collect(running, answers) > 0 && waiting.Count > 0);
                Decode(waiting, running);
            }
        }
        finally
        {
            foreach (var (_, answer) in running)
                answer.Sequence.Release();
        }

        return answers;
    }

    public void Score(ReadOnlySpan<int> tokens, LogitsHandler logits) => Read(tokens, (sequence, all) => session.Score(sequence, all, history.Count, logits));

    public void Follow(ReadOnlySpan<int> tokens, LogitsHandler logits) => Read(tokens, (sequence, all) => session.Follow(sequence, all, history.Count, logits));

    public void Dispose()
    {
    }

    /// <summary>Continues the context with known tokens in a sequence of their own.</summary>
    private void Read(ReadOnlySpan<int> tokens, Action<ISequenceCache, int[]> go)
    {
        int[] all = [.. history, .. tokens];
        // A context that nobody asked anything yet is read by the very sequence that goes on with the tokens; otherwise it is taken over, and nothing beyond it.
        var sequence = session.Open(all.AsSpan(0, isPrefilled ? history.Count + 1 : history.Count));
        if (isPrefilled && !HasContext(sequence))
        {
            var taken = sequence.Length;
            sequence.Release();
            throw Forgotten(taken);
        }

        session.Extend(sequence, all, history.Count);
        go(sequence, all);
        sequence.Release();
    }

    /// <summary>Reads the context once; it stays as what the cache keeps of a finished sequence.</summary>
    private void Prefill()
    {
        isPrefilled = true;
        int[] context = [.. history];
        var start = Stopwatch.GetTimestamp();
        var sequence = session.Open(context);
        session.Extend(sequence, context, context.Length, held => peakBytes = Math.Max(peakBytes, held.Usage.TotalBytes));
        contextMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        sequence.Release();
    }

    /// <summary>Prefills turns and takes their first tokens, as long as there is room.</summary>
    private void Begin(IReadOnlyList<EvaluationTurn> turns, Queue<int> waiting, List<(int Question, RunningAnswer Answer)> running)
    {
        var isRefreshed = false;
        while (waiting.Count > 0 && running.Count < session.MaxSequences)
        {
            var turn = turns[waiting.Peek()];
            int[] prompt = [.. history, .. turn.Tokens];
            if (session.TryOpen(prompt) is not { } sequence)
            {
                if (running.Count == 0)
                    throw DeviceSession.NoRoom(prompt.Length);
                return;
            }

            if (!HasContext(sequence))
            {
                // Answers in the making may have taken the memory of the context: it is read again when they are done.
                var taken = sequence.Length;
                sequence.Release();
                if (running.Count > 0)
                    return;
                if (isRefreshed)
                    throw Forgotten(taken);
                Prefill();
                isRefreshed = true;
                continue;
            }

            var answer = new RunningAnswer(sequence, prompt, turn.MaximumTokens);
            if (!session.TryBegin(answer))
            {
                sequence.Release();
                if (running.Count == 0)
                    throw DeviceSession.NoRoom(prompt.Length);
                return;
            }

            running.Add((waiting.Dequeue(), answer));
        }
    }

    private int Collect(List<(int Question, RunningAnswer Answer)> running, EvaluationAnswer[] answers)
    {
        foreach (var (question, answer) in running.Where(r => r.Answer.IsDone))
            answers[question] = answer.Finish(contextMs, peakBytes);
        return running.RemoveAll(r => r.Answer.IsDone);
    }

    /// <summary>One token for everyone; where there is no room for that, the last one begins anew when others are done.</summary>
    private void Decode(Queue<int> waiting, List<(int Question, RunningAnswer Answer)> running)
    {
        while (running.Count > 0 && !session.TryDecode(running.ConvertAll(r => r.Answer)))
        {
            var (question, answer) = running[^1];
            if (running.Count == 1)
                throw DeviceSession.NoRoom(answer.Tokens.Count);
            answer.Sequence.Release();
            running.RemoveAt(running.Count - 1);
            waiting.Enqueue(question);
        }
    }

    /// <summary>A method that forgot the context would compute it again, with the question in sight: another setting than the one asked for.</summary>
    private bool HasContext(ISequenceCache sequence) => sequence.Length + KvBlockLayout.Size >= history.Count;

    private EvaluationException Forgotten(int taken) => new(
        $"A question took over {taken} of the context's {history.Count} tokens: the method does not keep finished sequences for reuse, or the cache is too small to. "
        + "Measure it with --setting aware, or give it more memory.");
}
