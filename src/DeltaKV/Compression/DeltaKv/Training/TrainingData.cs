using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>What a model cached of a corpus: rows of every layer with the means of their nearest references, some of them of documents kept apart to measure on.</summary>
internal sealed class TrainingData
{
    private const int HeldOutPeriod = 8;

    private readonly LayerSamples[] samples;
    private readonly CodecTraining training;

    private TrainingData(ICalibrationModel model, CodedKvOptions options, CodecTraining training)
    {
        (this.training, Model, Options) = (training, model.Fingerprint, options);
        samples = [.. Enumerable.Range(0, model.Fingerprint.Layers).Select(_ => new LayerSamples())];
    }

    /// <summary>The model.</summary>
    internal ModelFingerprint Model { get; }

    /// <summary>What stays raw, and where references are.</summary>
    internal CodedKvOptions Options { get; }

    /// <summary>What was read, for the report.</summary>
    internal string Provenance { get; private set; } = "";

    /// <summary>Elements of a row.</summary>
    internal int Width => 2 * Model.KvHeads * Model.HeadDim;

    /// <summary>Reads a corpus. Every eighth document, or the last of fewer, is held out; of a single one every eighth token.</summary>
    /// <exception cref="ArgumentException">It has too few tokens for a step.</exception>
    internal static TrainingData Read(
        ICalibrationModel model,
        CalibrationCorpus corpus,
        CodedKvOptions options,
        CodecTraining training,
        IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var data = new TrainingData(model, options, training);
        training.Validate(data.Width);
        var total = corpus.Count(model.Tokenizer);
        var period = Math.Min(total, HeldOutPeriod);
        var heldOut = total / Math.Max(period, 1);
        var done = 0;
        foreach (var document in corpus.Documents(model.Tokenizer))
        {
            cancellation.ThrowIfCancellationRequested();
            var random = new SeededRandom(training.Seed, "rows", done);
            if (total == 1)
            {
                var (rest, apart) = (data.Eligible(document, random, t => t % HeldOutPeriod != 0), data.Eligible(document, random, t => t % HeldOutPeriod == 0));
                data.Add(model, document, [.. rest.Take(training.Rows)], [.. apart.Take(training.HeldOutRows)]);
            }
            else if (done % period == period - 1)
            {
                data.Add(model, document, [], [.. data.Eligible(document, random, _ => true).Take(Share(training.HeldOutRows, heldOut))]);
            }
            else
            {
                data.Add(model, document, [.. data.Eligible(document, random, _ => true).Take(Share(training.Rows, total - heldOut))], []);
            }

            done++;
            progress?.Report(new EvaluationProgress(done, total, FormattableString.Invariant($"{document.Tokens.Length} tokens")));
        }

        var count = data.samples[0].Rows.Count / data.Width;
        if (count < training.BatchRows || data.samples[0].HeldOut.Count / data.Width < 8)
            throw new ArgumentException($"The documents gave {count} rows to train on and {data.samples[0].HeldOut.Count / data.Width} to measure on; a step takes {training.BatchRows}, measuring at least 8. Read more.");
        var left = NoteFamily.Names.Except(corpus.Families, StringComparer.Ordinal).ToArray();
        data.Provenance = $"read {corpus.Description}; families left out: {(left.Length > 0 ? string.Join(", ", left) : "none")}";
        return data;
    }

    /// <summary>The mean of a layer's training rows.</summary>
    internal float[] Mean(int layer)
    {
        var rows = samples[layer].Rows;
        var mean = new float[Width];
        for (var first = 0; first < rows.Count; first += Width)
            TensorPrimitives.Add(mean, CollectionsMarshal.AsSpan(rows).Slice(first, Width), mean);
        TensorPrimitives.Divide(mean, rows.Count / Width, mean);
        return mean;
    }

    /// <summary>A layer's rows to train on and to measure on, in the same unit.</summary>
    internal (LayerRows Training, LayerRows HeldOut) Layer(int layer)
    {
        var sample = samples[layer];
        var mean = training.Neighbours == 0 ? Mean(layer) : null;
        var scale = LayerRows.ScaleOf(CollectionsMarshal.AsSpan(sample.Rows));
        return (Pack(sample.Rows, sample.References), Pack(sample.HeldOut, sample.HeldOutReferences));

        LayerRows Pack(List<float> rows, List<float> references) => LayerRows.Of(
            CollectionsMarshal.AsSpan(rows),
            mean is null ? CollectionsMarshal.AsSpan(references) : Repeat(mean, rows.Count / Width),
            Width,
            scale);
    }

    private static int Share(int rows, int documents) => (rows + documents - 1) / documents;

    private static float[] Repeat(float[] row, int count)
    {
        var result = new float[row.Length * count];
        for (var i = 0; i < count; i++)
            row.CopyTo(result, i * row.Length);
        return result;
    }

    /// <summary>Tokens that are coded against others, in random order: no sinks, and no references, of which nothing is left.</summary>
    private int[] Eligible(CalibrationDocument document, SeededRandom random, Func<int, bool> where)
    {
        var tokens = Enumerable.Range(0, document.Tokens.Length)
            .Where(t => t >= Options.Sinks && (training.Neighbours == 0 || (t - Options.Sinks) % Options.ReferenceStride != 0) && where(t)).ToArray();
        random.Shuffle<int>(tokens);
        return tokens;
    }

    private void Add(ICalibrationModel model, CalibrationDocument document, int[] tokens, int[] heldOut)
    {
        var layers = new ReadOnlyMemory<float>[samples.Length];
        model.Read(document.Tokens, [], (layer, rows, _) => layers[layer] = rows);
        Parallel.For(0, samples.Length, layer =>
        {
            var rows = layers[layer].Span;
            var residuals = training.Neighbours == 0 ? null : ResidualRows.Of(rows, Width, model.Fingerprint.HeadDim, Options, training.Neighbours);
            foreach (var token in tokens)
                Add(samples[layer].Rows, samples[layer].References, rows.Slice(token * Width, Width), residuals, token);
            foreach (var token in heldOut)
                Add(samples[layer].HeldOut, samples[layer].HeldOutReferences, rows.Slice(token * Width, Width), residuals, token);
        });
    }

    private static void Add(List<float> rows, List<float> references, ReadOnlySpan<float> row, float[]? residuals, int token)
    {
        rows.AddRange(row);
        if (residuals is null)
            return;
        var reference = new float[row.Length];
        TensorPrimitives.Subtract(row, residuals.AsSpan(token * row.Length, row.Length), reference);
        references.AddRange(reference);
    }

    private sealed class LayerSamples
    {
        internal List<float> Rows { get; } = [];

        internal List<float> References { get; } = [];

        internal List<float> HeldOut { get; } = [];

        internal List<float> HeldOutReferences { get; } = [];
    }
}
