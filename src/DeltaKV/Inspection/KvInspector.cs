using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Inspection;

/// <summary>Reads documents with the full cache and describes what every layer caches of them.</summary>
internal sealed class KvInspector(ICalibrationModel model, IProgress<EvaluationProgress>? progress = null)
{
    /// <summary>Sinks, and how dense references are.</summary>
    public CodedKvOptions Options { get; init; } = new();

    /// <summary>Nearest references whose mean is taken.</summary>
    public int Neighbours { get; init; } = 4;

    /// <summary>Describes a model by what it caches of a corpus.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="corpus">What to read.</param>
    /// <param name="description">The same in words.</param>
    /// <param name="retrieval">Its retrieval heads, if they are known.</param>
    /// <param name="cancellation">Stops between documents.</param>
    public InspectionReport Run(string name, CalibrationCorpus corpus, string description, CompressKvProfile? retrieval, CancellationToken cancellation = default)
    {
        var layers = model.Fingerprint.Layers;
        var inspectors = Enumerable.Range(0, layers)
            .Select(layer => new LayerInspector(model.Geometry(layer), Options, Neighbours, new SeededRandom(corpus.Seed, "inspection", layer))).ToArray();
        var geometry = Enumerable.Range(0, layers).Select(model.Geometry).ToArray();
        var overlap = new LayerOverlap(layers);
        var (tokens, done, total) = (0, 0, corpus.Count(model.Tokenizer) + layers);
        foreach (var document in corpus.Documents(model.Tokenizer))
        {
            cancellation.ThrowIfCancellationRequested();
            model.Read(document.Tokens, document.QueryPositions, (layer, rows, queries) =>
            {
                inspectors[layer].Add(rows.Span);
                overlap.Add(layer, geometry[layer], rows.Span, queries.Span, document.QueryPositions);
            });
            overlap.EndDocument();
            tokens += document.Tokens.Length;
            progress?.Report(new EvaluationProgress(++done, total, FormattableString.Invariant($"{document.Tokens.Length} tokens")));
        }

        var described = new LayerInspection[layers];
        Parallel.For(0, layers, new ParallelOptions { CancellationToken = cancellation }, layer =>
        {
            described[layer] = inspectors[layer].Finish(layer);
            progress?.Report(new EvaluationProgress(Interlocked.Increment(ref done), total, FormattableString.Invariant($"layer {layer}")));
        });
        var mean = overlap.Shares();
        return new InspectionReport
        {
            Model = name,
            Fingerprint = model.Fingerprint,
            Documents = description,
            Tokens = tokens,
            ReferenceStride = Options.ReferenceStride,
            Neighbours = Neighbours,
            Layers = described,
            Overlap = [.. Enumerable.Range(0, layers).Select(i => (IReadOnlyList<double>)[.. Enumerable.Range(0, layers).Select(j => Math.Round(i == j ? 1 : mean[i * layers + j], 4))])],
            Retrieval = retrieval,
        };
    }
}
