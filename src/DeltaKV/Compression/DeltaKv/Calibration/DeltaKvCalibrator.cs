using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Reads a corpus with a model and makes codecs of it; statistics are gathered once, budgets can be tried many times.</summary>
internal sealed class DeltaKvCalibrator
{
    private readonly ICalibrationModel _model;
    private readonly int _neighbours;
    private readonly LayerStatistics[] _statistics;
    private readonly LayerOverlap _overlap;
    private readonly List<string> _read = [];
    private readonly HashSet<string> _families = new(StringComparer.Ordinal);
    private readonly Dictionary<(double Ridge, double TokenWeighting), LayerTransform?[]> _transforms = [];

    /// <summary>A calibrator that has read nothing yet.</summary>
    /// <param name="model">Reads the documents.</param>
    /// <param name="options">What will stay raw, and how dense references are.</param>
    /// <param name="neighbours">References whose mean is subtracted from each token before coding; 0 to subtract the overall mean.</param>
    /// <param name="seed">Chooses the rows that quantisers are fitted on.</param>
    public DeltaKvCalibrator(ICalibrationModel model, CodedKvOptions? options = null, int neighbours = 0, long seed = 1)
    {
        (_model, _neighbours) = (model, neighbours);
        Options = options ?? new CodedKvOptions();
        _statistics = [.. Enumerable.Range(0, model.Fingerprint.Layers)
            .Select(layer => new LayerStatistics(model.Geometry(layer), new SeededRandom(seed, "rows", layer), Options.Sinks, Options.Recent))];
        _overlap = new LayerOverlap(model.Fingerprint.Layers);
    }

    /// <summary>What will stay raw, and so does not count.</summary>
    public CodedKvOptions Options { get; }

    /// <summary>Reads every document of a corpus.</summary>
    public void Read(CalibrationCorpus corpus, IProgress<EvaluationProgress>? progress = null, CancellationToken cancellation = default)
    {
        _transforms.Clear();
        var (done, total) = (0, corpus.Count(_model.Tokenizer));
        foreach (var document in corpus.Documents(_model.Tokenizer))
        {
            cancellation.ThrowIfCancellationRequested();
            _model.Read(document.Tokens, document.QueryPositions, (layer, rows, queries) =>
            {
                // The first layer's cache is recomputed from token ids; nothing of it is coded.
                if (layer > 0)
                    _statistics[layer].Add(rows.Span, queries.Span, document.QueryPositions, Residuals(layer, rows.Span));
                _overlap.Add(layer, _statistics[layer].Geometry, rows.Span, queries.Span, document.QueryPositions);
            });
            _overlap.EndDocument();
            progress?.Report(new EvaluationProgress(++done, total, FormattableString.Invariant($"{document.Tokens.Length} tokens")));
        }

        _read.Add(corpus.Description);
        _families.UnionWith(corpus.Families);
    }

    /// <summary>Adds what another calibrator of the same model has read.</summary>
    public void Merge(DeltaKvCalibrator other)
    {
        _transforms.Clear();
        for (var layer = 1; layer < _statistics.Length; layer++)
            _statistics[layer].Merge(other._statistics[layer]);
        _overlap.Merge(other._overlap);
        _read.AddRange(other._read);
        _families.UnionWith(other._families);
    }

    /// <summary>The best weighted transform codec within a budget; layer 0 stores nothing.</summary>
    /// <param name="calibration">Budget and choices.</param>
    public DeltaKvCodec Solve(KltCalibration calibration)
    {
        calibration = calibration with { Neighbours = _neighbours };
        var key = (calibration.Ridge, calibration.TokenWeighting);
        if (!_transforms.TryGetValue(key, out var transforms))
            _transforms[key] = transforms = calibration.Transforms(Coded);
        return Codec(
            calibration.Quantize(Coded, transforms),
            FormattableString.Invariant($"weighted KLT, {calibration.BytesPerToken} bytes per token, {_neighbours} references, ridge {calibration.Ridge}, ")
            + FormattableString.Invariant($"token weighting {calibration.TokenWeighting}, headroom {calibration.Headroom}"));
    }

    /// <summary>A codec in the published shape: as many latent dimensions in every layer, quantised with a step per token and chunk.</summary>
    /// <param name="calibration">Latents and choices.</param>
    public DeltaKvCodec Solve(LatentCalibration calibration) => Codec(
        (calibration with { Neighbours = _neighbours }).Solve(Coded),
        FormattableString.Invariant($"{calibration.Dimensions} latents of {(int)calibration.Width} bits, {_neighbours} references, ridge {calibration.Ridge}, ")
        + FormattableString.Invariant($"token weighting {calibration.TokenWeighting}"));

    /// <summary>The codec that needs no calibration, in the same shape.</summary>
    public DeltaKvCodec Fallback(ChunkWidth keys = ChunkWidth.Bits4, ChunkWidth values = ChunkWidth.Bits4) => Codec(
        [.. _statistics.Select((_, layer) => layer == 0
            ? null
            : HadamardCodec.Create(_model.Fingerprint.KvHeads, _model.Fingerprint.HeadDim, keys, values))],
        FormattableString.Invariant($"Hadamard, keys {(int)keys} bits, values {(int)values} bits"));

    /// <summary>The layers to keep full, layer 0 included, when so many may be.</summary>
    public int[] FullLayers(int count) => FullLayerSelection.Select(_overlap.Mean(), _statistics.Length, count);

    private string LeftOut => NoteFamily.Names.Except(_families, StringComparer.Ordinal).ToArray() is { Length: > 0 } names
        ? string.Join(", ", names)
        : "none";

    private LayerStatistics?[] Coded => [.. _statistics.Select((s, layer) => layer == 0 ? null : s)];

    private ReadOnlySpan<float> Residuals(int layer, ReadOnlySpan<float> rows) =>
        _neighbours == 0 ? default : ResidualRows.Of(rows, _statistics[layer].Geometry.Width, Options, _neighbours);

    private DeltaKvCodec Codec(LinearCodec?[] codecs, string how) => new()
    {
        Model = _model.Fingerprint,
        Options = Options,
        Layers = [.. codecs.Select(codec => codec is null
            ? new CodecLayer(LayerTreatment.Recomputed)
            : new CodecLayer(LayerTreatment.Coded, codec))],
        Report = $"{how}; read {(_read.Count == 0 ? "nothing" : string.Join("; ", _read))}; families left out: {LeftOut}",
    };
}
