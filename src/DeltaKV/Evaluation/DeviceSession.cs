using System.Diagnostics;
using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Evaluation;

/// <summary>Runs steps as the engine does, prompts in chunks and answers as captured graphs over all of them, and looks at what came out.</summary>
internal sealed class DeviceSession : IDisposable
{
    /// <summary>Logits at once when text is scored: a vocabulary of floats each.</summary>
    private const int ScoredRows = 64;

    private readonly ModelDevice<BFloat16> device;
    private readonly ModelConfig config;
    private readonly IReadOnlyCollection<int> ends;
    private readonly Transformer<BFloat16> transformer;
    private readonly StepInputs inputs;
    private readonly GreedyTokens greedy;
    private readonly DecodeGraphs graphs;
    private readonly float[] logits;
    private readonly int chunk;
    private readonly int maxLength;

    /// <param name="device">The model; not owned.</param>
    /// <param name="config">Its architecture.</param>
    /// <param name="ends">Tokens that end an answer.</param>
    /// <param name="maxLength">The longest sequence.</param>
    /// <param name="chunk">Tokens of a prefill step.</param>
    /// <param name="sequences">Answers computed at once.</param>
    internal DeviceSession(
        ModelDevice<BFloat16> device, ModelConfig config, IReadOnlyCollection<int> ends, int maxLength, int chunk, int sequences = 1)
    {
        (this.device, this.config, this.ends, this.chunk, this.maxLength, MaxSequences) = (device, config, ends, chunk, maxLength, sequences);
        var logitRows = Math.Max(ScoredRows, DecodeGraphs.Bucket(sequences));
        var rows = Math.Max(chunk, logitRows);
        transformer = new Transformer<BFloat16>(device.Accelerator, config, device.Weights, device.Kernels, device.Layers, rows, logitRows);
        inputs = new StepInputs(device.Accelerator, rows, logitRows, sequences, maxLength);
        greedy = new GreedyTokens(device.Stream, config.VocabularySize, logitRows);
        graphs = new DecodeGraphs(device.Stream);
        logits = new float[(long)ScoredRows * config.VocabularySize];
    }

    /// <summary>Asked before every step.</summary>
    internal CancellationToken Cancellation { get; init; }

    /// <summary>The most answers computed at once.</summary>
    internal int MaxSequences { get; }

    /// <summary>See <see cref="Transformer{T}.Observer"/>.</summary>
    internal Action<int, ArrayView<BFloat16>, int>? Observer { set => transformer.Observer = value; }

    /// <summary>Whether a token ends an answer.</summary>
    internal bool IsEnd(int token) => ends.Contains(token);

    /// <summary>What is thrown where memory ends.</summary>
    internal static EvaluationException NoRoom(int tokens) =>
        new($"The cache does not hold {tokens} tokens at once. Ask for shorter documents, or give it more memory.");

    /// <summary>Admits a sequence that will hold these tokens; what is kept of them is taken over.</summary>
    /// <exception cref="EvaluationException">The cache cannot hold it.</exception>
    internal ISequenceCache Open(ReadOnlySpan<int> tokens) => TryOpen(tokens) ?? throw NoRoom(tokens.Length);

    /// <summary>The same; null if the cache cannot hold it now.</summary>
    internal ISequenceCache? TryOpen(ReadOnlySpan<int> tokens)
    {
        var sequence = device.Layers.Cache.Open();
        return sequence.TryAdmit(tokens) ? sequence : null;
    }

    /// <summary>Computes the tokens up to a length, chunk by chunk, and returns the likeliest token after the last; -1 if none was left to compute.</summary>
    /// <exception cref="EvaluationException">The cache cannot hold it.</exception>
    internal int Extend(ISequenceCache sequence, ReadOnlySpan<int> tokens, int length, Action<ISequenceCache>? afterStep = null) =>
        TryExtend(sequence, tokens, length, afterStep, out var next) ? next : throw NoRoom(length);

    /// <summary>Computes the last token in a decode step and returns the likeliest token after it.</summary>
    internal int Decode(ISequenceCache sequence, ReadOnlySpan<int> tokens)
    {
        if (!TryStep(sequence, tokens, 1, wanted: 1, readsLogits: false, null))
            throw NoRoom(tokens.Length);
        return greedy.Chosen[0];
    }

    /// <summary>Computes the tokens from an index on, many at a time, and hands out the logits after each.</summary>
    internal void Score(ISequenceCache sequence, ReadOnlySpan<int> tokens, int from, LogitsHandler handler) =>
        Read(sequence, tokens, from, ScoredRows, handler);

    /// <summary>Computes the tokens from an index on in steps of one, as if they had been chosen, and hands out the logits after each.</summary>
    internal void Follow(ISequenceCache sequence, ReadOnlySpan<int> tokens, int from, LogitsHandler handler) =>
        Read(sequence, tokens, from, 1, handler);

    /// <summary>Computes an answer's prompt and takes its first token; false if the cache has no room, and then how far it came is not known.</summary>
    internal bool TryBegin(RunningAnswer answer)
    {
        if (!TryExtend(answer.Sequence, answer.Tokens.ToArray(), answer.Tokens.Count, answer.Observe, out var next))
            return false;
        answer.Begin(next, IsEnd(next), maxLength);
        return true;
    }

    /// <summary>Computes the last token of every answer in one step and takes the ones that follow; false if the cache has no room, and then nothing was computed.</summary>
    internal bool TryDecode(IReadOnlyList<RunningAnswer> answers)
    {
        Cancellation.ThrowIfCancellationRequested();
        var start = Stopwatch.GetTimestamp();
        // Room reserved and not used stays the sequence's own for its next step.
        foreach (var answer in answers)
        {
            if (!answer.Sequence.TryReserve(1))
                return false;
        }

        inputs.Clear();
        var steps = new SequenceStep[answers.Count];
        for (var i = 0; i < steps.Length; i++)
        {
            var (sequence, tokens) = (answers[i].Sequence, answers[i].Tokens);
            steps[i] = new SequenceStep(sequence, i, 1);
            inputs.Add(i, [tokens[^1]], sequence.Length, isDecode: true);
            inputs.AddLogits(i);
        }

        device.Layers.Prepare(device.Stream, steps);
        inputs.PadDecode(DecodeGraphs.Bucket(steps.Length));
        inputs.Upload(device.Stream);
        if (!device.Layers.MayReplay)
            EnqueueStep();
        else if (!graphs.TryReplay(inputs.LogitCount, device.Layers.Variant))
            graphs.RunAndCapture(inputs.LogitCount, device.Layers.Variant, () => EnqueueStep());
        device.Stream.Synchronize();
        var took = Stopwatch.GetElapsedTime(start);
        for (var i = 0; i < steps.Length; i++)
        {
            var (answer, next) = (answers[i], greedy.Chosen[i]);
            answer.Sequence.Commit(answer.Tokens.ToArray());
            answer.Observe(answer.Sequence);
            answer.Go(took, next, IsEnd(next), maxLength);
        }

        device.Layers.Cache.Flush();
        return true;
    }

    public void Dispose()
    {
        graphs.Dispose();
        greedy.Dispose();
        transformer.Dispose();
        inputs.Dispose();
    }

    private void Read(ISequenceCache sequence, ReadOnlySpan<int> tokens, int from, int rows, LogitsHandler handler)
    {
        while (sequence.Length < tokens.Length)
        {
            var first = sequence.Length - from;
            var count = Math.Min(rows, Math.Min(tokens.Length - sequence.Length, sequence.StepLimit));
            if (!TryStep(sequence, tokens, count, wanted: count, readsLogits: true, null))
                throw NoRoom(tokens.Length);
            for (var i = 0; i < count; i++)
                handler(first + i, logits.AsSpan(i * config.VocabularySize, config.VocabularySize));
            if (!TryProbe(sequence, null))
                throw NoRoom(tokens.Length);
        }
    }

    private bool TryExtend(ISequenceCache sequence, ReadOnlySpan<int> tokens, int length, Action<ISequenceCache>? afterStep, out int next)
    {
        next = -1;
        while (sequence.Length < length)
        {
            var count = Math.Min(chunk, Math.Min(length - sequence.Length, sequence.StepLimit));
            if (!TryStep(sequence, tokens, count, wanted: 1, readsLogits: false, afterStep))
                return false;
            next = greedy.Chosen[0];
            if (!TryProbe(sequence, afterStep))
                return false;
        }

        return true;
    }

    /// <summary>Computes what a method wants to see attention of, and forgets again.</summary>
    private bool TryProbe(ISequenceCache sequence, Action<ISequenceCache>? afterStep)
    {
        while (!sequence.Probe.IsEmpty)
        {
            var count = Math.Min(chunk, sequence.Probe.Length);
            if (!sequence.TryReserve(count))
                return false;
            inputs.Clear();
            inputs.Add(0, sequence.Probe[..count], sequence.Length, isDecode: count == 1);
            inputs.AddLogits(count - 1);
            device.Layers.Prepare(device.Stream, [new SequenceStep(sequence, 0, count)]);
            inputs.Upload(device.Stream);
            EnqueueStep();
            device.Stream.Synchronize();
            sequence.CommitProbe(count);
            afterStep?.Invoke(sequence);
            device.Layers.Cache.Flush();
        }

        return true;
    }

    private bool TryStep(
        ISequenceCache sequence, ReadOnlySpan<int> tokens, int count, int wanted, bool readsLogits, Action<ISequenceCache>? afterStep)
    {
        Cancellation.ThrowIfCancellationRequested();
        var start = sequence.Length;
        if (!sequence.TryReserve(count))
            return false;
        inputs.Clear();
        // A single token is a decode row wherever it comes from, as in the engine.
        inputs.Add(0, tokens.Slice(start, count), start, isDecode: count == 1);
        for (var row = count - wanted; row < count; row++)
            inputs.AddLogits(row);
        device.Layers.Prepare(device.Stream, [new SequenceStep(sequence, 0, count)]);
        inputs.Upload(device.Stream);
        var view = EnqueueStep();
        if (readsLogits)
            view.SubView(0, (long)wanted * config.VocabularySize).CopyToCPU(device.Stream, logits.AsSpan(0, wanted * config.VocabularySize));
        device.Stream.Synchronize();
        sequence.Commit(tokens[..(start + count)]);
        // A prompt is at its largest before its flush.
        afterStep?.Invoke(sequence);
        device.Layers.Cache.Flush();
        return true;
    }

    /// <summary>Enqueues the pass over the staged rows and the choice of tokens; returns the logits.</summary>
    private ArrayView<float> EnqueueStep()
    {
        var view = transformer.Forward(device.Stream, inputs);
        greedy.Enqueue(device.Stream, view, inputs.LogitCount);
        return view;
    }
}
