using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Evaluation;

/// <summary>Runs the steps of one sequence at a time and looks at its logits.</summary>
internal sealed class DeviceSession : IDisposable
{
    /// <summary>Logits at once when text is scored: a vocabulary of floats each.</summary>
    private const int ScoredRows = 64;

    private readonly ModelDevice<BFloat16> device;
    private readonly ModelConfig config;
    private readonly IReadOnlyCollection<int> ends;
    private readonly Transformer<BFloat16> transformer;
    private readonly StepInputs inputs;
    private readonly float[] logits;
    private readonly int chunk;

    /// <param name="device">The model; not owned.</param>
    /// <param name="config">Its architecture.</param>
    /// <param name="ends">Tokens that end an answer.</param>
    /// <param name="maxLength">The longest sequence.</param>
    /// <param name="chunk">Tokens of a prefill step.</param>
    internal DeviceSession(ModelDevice<BFloat16> device, ModelConfig config, IReadOnlyCollection<int> ends, int maxLength, int chunk)
    {
        (this.device, this.config, this.ends, this.chunk) = (device, config, ends, chunk);
        var rows = Math.Max(chunk, ScoredRows);
        transformer = new Transformer<BFloat16>(device.Accelerator, config, device.Weights, device.Kernels, device.Layers, rows, ScoredRows);
        inputs = new StepInputs(device.Accelerator, rows, ScoredRows, 1, maxLength);
        logits = new float[(long)ScoredRows * config.VocabularySize];
    }

    /// <summary>See <see cref="Transformer{T}.Observer"/>.</summary>
    internal Action<int, ArrayView<BFloat16>, int>? Observer { set => transformer.Observer = value; }

    /// <summary>Whether a token ends an answer.</summary>
    internal bool IsEnd(int token) => ends.Contains(token);

    /// <summary>Admits a sequence that will hold these tokens; what is kept of them is taken over.</summary>
    /// <exception cref="EvaluationException">The cache cannot hold it.</exception>
    internal ISequenceCache Open(ReadOnlySpan<int> tokens)
    {
        var sequence = device.Layers.Cache.Open();
        return sequence.TryAdmit(tokens)
            ? sequence
            : throw new EvaluationException($"The cache does not hold {tokens.Length} tokens at once. Ask for shorter documents, or give it more memory.");
    }

    /// <summary>Computes the tokens up to a length, chunk by chunk, and returns the likeliest token after the last; -1 if none was left to compute.</summary>
    internal int Extend(ISequenceCache sequence, ReadOnlySpan<int> tokens, int length, Action<ISequenceCache>? afterStep = null)
    {
        var next = -1;
        while (sequence.Length < length)
        {
            var count = Math.Min(chunk, length - sequence.Length);
            Step(sequence, tokens, count, isDecode: false, wanted: 1, afterStep);
            next = Likeliest(logits.AsSpan(0, config.VocabularySize));
        }

        return next;
    }

    /// <summary>Computes the last token in a decode step and returns the likeliest token after it.</summary>
    internal int Decode(ISequenceCache sequence, ReadOnlySpan<int> tokens)
    {
        Step(sequence, tokens, 1, isDecode: true, wanted: 1, null);
        return Likeliest(logits.AsSpan(0, config.VocabularySize));
    }

    /// <summary>Computes the tokens from an index on and hands out the logits after each.</summary>
    internal void Score(ISequenceCache sequence, ReadOnlySpan<int> tokens, int from, LogitsHandler handler)
    {
        while (sequence.Length < tokens.Length)
        {
            var first = sequence.Length - from;
            var count = Math.Min(ScoredRows, tokens.Length - sequence.Length);
            Step(sequence, tokens, count, isDecode: false, wanted: count, null);
            for (var i = 0; i < count; i++)
                handler(first + i, logits.AsSpan(i * config.VocabularySize, config.VocabularySize));
        }
    }

    public void Dispose()
    {
        transformer.Dispose();
        inputs.Dispose();
    }

    private void Step(ISequenceCache sequence, ReadOnlySpan<int> tokens, int count, bool isDecode, int wanted, Action<ISequenceCache>? afterStep)
    {
        var start = sequence.Length;
        if (!sequence.TryReserve(count))
            throw new EvaluationException($"The cache has no room for token {start + count} of a sequence. Ask for shorter documents, or give it more memory.");
        inputs.Clear();
        inputs.Add(0, tokens.Slice(start, count), start, isDecode);
        for (var row = count - wanted; row < count; row++)
            inputs.AddLogits(row);
        device.Layers.Prepare(device.Stream, [new SequenceStep(sequence, 0, count)]);
        inputs.Upload(device.Stream);
        var view = transformer.Forward(device.Stream, inputs);
        view.SubView(0, (long)wanted * config.VocabularySize).CopyToCPU(device.Stream, logits.AsSpan(0, wanted * config.VocabularySize));
        device.Stream.Synchronize();
        sequence.Commit(tokens[..(start + count)]);
        // A prompt is at its largest before its flush.
        afterStep?.Invoke(sequence);
        device.Layers.Cache.Flush();
    }

    private static int Likeliest(ReadOnlySpan<float> row)
    {
        var best = 0;
        for (var i = 1; i < row.Length; i++)
            best = row[i] > row[best] ? i : best;
        return best;
    }
}
