using System.Collections.Immutable;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Reads a corpus with a model and makes codecs of it; statistics are gathered once, plans can be tried many times.</summary>
internal sealed class DeltaKvCalibrator
{
    private readonly ICalibrationModel _model;
    private readonly int _neighbours;
    private readonly long _seed;
    private readonly LayerStatistics[] _statistics;
    private readonly LayerOverlap _overlap;
    private readonly List<string> _read = [];
    private readonly HashSet<string> _families = new(StringComparer.Ordinal);
    private readonly Dictionary<(double Ridge, double TokenWeighting, SensitivityMetric Metric, ReferenceUse References, string Full), LayerTransform[][]> _transforms = [];

    /// <summary>A calibrator that has read nothing yet.</summary>
    /// <param name="model">Reads the documents.</param>
    /// <param name="options">How dense references are, and how they are stored. Sinks and window are the usual ones while documents are read, whatever a plan keeps.</param>
    /// <param name="neighbours">References of a token where references are used; 0: no codec will use any.</param>
    /// <param name="seed">Chooses the rows that quantisers are fitted on.</param>
    public DeltaKvCalibrator(ICalibrationModel model, CodedKvOptions? options = null, int neighbours = 0, long seed = 1)
    {
        (_model, _neighbours, _seed) = (model, neighbours, seed);
        Options = new CodedKvOptions();
        if (options is not null && neighbours > 0)
            Options = Options with { ReferenceStride = options.ReferenceStride, ReferenceBits = options.ReferenceBits };
        _statistics = [.. Enumerable.Range(0, model.Fingerprint.Layers).Select(layer => new LayerStatistics(
            model.Geometry(layer), new SeededRandom(seed, "rows", layer), Options.Sinks, Options.Recent, residuals: neighbours > 0 && layer > 0))];
        _overlap = new LayerOverlap(model.Fingerprint.Layers, Options.Sinks, Options.Recent);
    }

    /// <summary>What was taken to stay raw, and so did not count, and how references were stored.</summary>
    public CodedKvOptions Options { get; }

    /// <summary>What attention of one layer tells about another's, see <see cref="LayerOverlap.Mean"/>.</summary>
    public double[] Overlap => _overlap.Mean();

    /// <summary>Reads every document of a corpus.</summary>
    /// <param name="corpus">What to read.</param>
    /// <param name="checkpoint">Keeps what was read of this corpus, for the first one a calibrator reads.</param>
    /// <param name="progress">Hears of every document.</param>
    /// <param name="cancellation">Stops between documents; the checkpoint then has all that were read.</param>
    /// <exception cref="ArgumentException">There is too little text.</exception>
    public void Read(
        CalibrationCorpus corpus, CalibrationCheckpoint? checkpoint = null, IProgress<EvaluationProgress>? progress = null, CancellationToken cancellation = default)
    {
        corpus.RequireEnough(_model.Tokenizer);
        _transforms.Clear();
        var key = $"{_model.Fingerprint}; {corpus.Key}; {Options}; {_neighbours} neighbours; seed {_seed}";
        var (done, total) = (checkpoint?.Load(key, Load) ?? 0, corpus.Count(_model.Tokenizer));
        if (done > 0)
            progress?.Report(new EvaluationProgress(done, total, "going on where it stopped"));
        foreach (var document in corpus.Documents(_model.Tokenizer).Skip(done))
        {
            if (cancellation.IsCancellationRequested)
            {
                checkpoint?.Save(key, done, Save, isLast: true);
                cancellation.ThrowIfCancellationRequested();
            }

            Read(document);
            done++;
            checkpoint?.Save(key, done, Save, isLast: done == total);
            progress?.Report(new EvaluationProgress(done, total, FormattableString.Invariant($"{document.Tokens.Length} tokens")));
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

    /// <summary>The codec that a plan describes. Layer 0 stores nothing, being a function of the token, unless the plan names it among the full ones.</summary>
    /// <exception cref="ArgumentException">The plan contradicts itself, the model, or what was read.</exception>
    public DeltaKvCodec Solve(CodecPlan plan)
    {
        plan.Validate(_statistics.Length);
        if (plan.IsTrained)
            throw new ArgumentException("The plan's codec is trained by gradients, not solved from statistics.");
        if (plan.References != ReferenceUse.None
            && (plan.Neighbours != _neighbours || plan.Options.ReferenceStride != Options.ReferenceStride || plan.Options.ReferenceBits != Options.ReferenceBits))
            throw new ArgumentException($"The plan has {plan.Neighbours} references of {plan.Options.ReferenceBits} bits per token, every {plan.Options.ReferenceStride}; documents were read for {_neighbours} of {Options.ReferenceBits}, every {Options.ReferenceStride}.");
        var full = Resolve(plan.FullLayers);
        var (heads, dim, observers) = (_model.Fingerprint.KvHeads, _model.Fingerprint.HeadDim, Observers(plan));
        var coded = _statistics.Select((s, layer) => layer == 0 || full.Contains(layer) ? null : s).ToArray();
        var table = plan.Heads == HeadChoice.All ? null : plan.Heads.Table([.. coded.Select(s => s?.WithoutHistory(plan.Options.Recent))], heads, observers);
        bool IsWindow(int layer) => table?.Layers[layer].All(head => head == HeadTreatment.Window) == true;
        var stored = coded.Select((s, layer) => IsWindow(layer) ? null : s).ToArray();
        DeltaKvCodec Codec(LinearCodec?[] codecs) => new()
        {
            Model = _model.Fingerprint,
            Options = plan.Options,
            Layers = Layers([.. codecs.Select((codec, layer) => IsWindow(layer) ? HeadTable.WindowOnly(heads, dim) : codec)], observers, plan.Full, plan.FullLayers.Layers.Contains(0)),
            Report = $"{plan.Describe()}; {Provenance}",
        };

        return plan.Kind switch
        {
            CalibratedCodec.Int4 => Codec([.. stored.Select((s, layer) => s is null ? null : Rotated(table?.Layers[layer], heads, dim))]),
            CalibratedCodec.Pca => Codec(new LatentCalibration { Plan = plan, Heads = table }.Solve(stored)),
            _ => Transform(plan, stored, table, Codec),
        };
    }

    /// <summary>The layers to keep full, layer 0 included, when so many may be.</summary>
    public int[] FullLayers(int count) => FullLayerSelection.Select(_overlap.Mean(), _statistics.Length, count);

    /// <summary>What was read, and what was not.</summary>
    private string Provenance => $"read {(_read.Count == 0 ? "nothing" : string.Join("; ", _read))}; families left out: {LeftOut}";

    private string LeftOut => NoteFamily.Names.Except(_families, StringComparer.Ordinal).ToArray() is { Length: > 0 } names
        ? string.Join(", ", names)
        : "none";

    private void Read(CalibrationDocument document)
    {
        var layers = new (ReadOnlyMemory<float> Rows, ReadOnlyMemory<float> Queries)[_statistics.Length];
        _model.Read(document.Tokens, document.QueryPositions, (layer, rows, queries) => layers[layer] = (rows, queries));
        Parallel.For(0, layers.Length, layer =>
        {
            var (statistics, (rows, queries)) = (_statistics[layer], layers[layer]);
            // The first layer's cache is recomputed from token ids; nothing of it is coded.
            if (layer > 0)
                statistics.Add(rows, queries, document.QueryPositions, Residuals(statistics.Geometry, rows.Span));
            _overlap.Add(layer, statistics.Geometry, rows.Span, queries.Span, document.QueryPositions);
        });
        _overlap.EndDocument();
    }

    private void Save(BinaryWriter writer)
    {
        Array.ForEach(_statistics, layer => layer.Save(writer));
        _overlap.Save(writer);
    }

    private void Load(BinaryReader reader)
    {
        Array.ForEach(_statistics, layer => layer.Load(reader));
        _overlap.Load(reader);
    }

    private ReadOnlySpan<float> Residuals(AttentionGeometry geometry, ReadOnlySpan<float> rows) =>
        _neighbours == 0 ? default : ResidualRows.Of(rows, geometry.Width, geometry.HeadDim, Options, _neighbours);

    /// <summary>Solves for the bytes that windows, tables and full layers leave of the target.</summary>
    private DeltaKvCodec Transform(CodecPlan plan, LayerStatistics?[] coded, HeadTable? table, Func<LinearCodec?[], DeltaKvCodec> codec)
    {
        var shape = _model.Fingerprint;
        var calibration = new KltCalibration
        {
            Plan = plan,
            Heads = table,
            ReferenceBytes = (ReferenceRow.WordsOf(Options.ReferenceBits, 2 * shape.KvHeads, shape.HeadDim) + 1.0) * sizeof(uint) / Options.ReferenceStride,
        };
        var key = (plan.Ridge, plan.TokenWeighting, plan.Metric, plan.References, $"{string.Join('+', coded.Select(layer => layer is null))} {table}");
        if (!_transforms.TryGetValue(key, out var transforms))
            _transforms[key] = transforms = calibration.Transforms(coded);
        var candidates = calibration.Candidates(transforms);
        var layers = coded.Count(layer => layer is not null);
        if (plan.Bits is { } bits)
            return codec((calibration with { BytesPerToken = bits * layers / 8 }).Choose(coded, candidates));

        var budget = (long)(plan.Share!.Value * CodecSize.Full(shape, plan.At));
        var empty = codec((calibration with { Plan = plan with { References = ReferenceUse.None } }).Choose(coded, [.. candidates.Select(WithoutCodes)]));
        // A token less: then a block of the window is being filled, as it is at nearly every length.
        var tokens = plan.At - 1;
        var windows = CodecSize.Usage(empty, tokens).TotalBytes;
        var codedTokens = CodecSize.CodedTokens(empty, tokens);
        // What raw heads take was counted with the windows, and is part of what is shared.
        var raw = table?.Layers.Sum(row => HeadTable.RawBytes(row, shape.HeadDim)) ?? 0;
        for (var bytes = (int)Math.Max(0, (budget - windows) / Math.Max(1, codedTokens)) + raw; bytes >= ChunkAllocator.ChunkBytes; bytes -= ChunkAllocator.ChunkBytes)
        {
            var result = codec((calibration with { BytesPerToken = bytes }).Choose(coded, candidates));
            if (CodecSize.Usage(result, tokens).TotalBytes <= budget)
                return result;
        }

        throw new ArgumentException(FormattableString.Invariant(
            $"{100 * plan.Share:0.##} % of {plan.At} tokens are {budget:N0} bytes; sinks, window, tables and full layers alone take {windows:N0}. Ask for more, or keep fewer tokens and layers raw."));

        static LayerCandidate[] WithoutCodes(LayerCandidate[] layer) => [.. layer.Take(1).Select(c => c with { Neighbours = 0, OverheadBytes = 0, Rates = [] })];
    }

    private static LinearCodec Rotated(ImmutableArray<HeadTreatment>? row, int heads, int dim)
    {
        var codec = HadamardCodec.Create(heads, dim, ChunkWidth.Bits4, ChunkWidth.Bits4);
        return row is { } treatments ? HeadTable.Apply(treatments, codec) : codec;
    }

    private static IReadOnlyList<CodecLayer> Layers(
        LinearCodec?[] codecs, IReadOnlyCollection<int>? observers = null, LayerTreatment full = LayerTreatment.Raw, bool isFirstFull = false) =>
        [.. codecs.Select((codec, layer) => new CodecLayer(
            codec is not null ? LayerTreatment.Coded : layer == 0 && !isFirstFull ? LayerTreatment.Recomputed : full, codec, observers?.Contains(layer) == true))];

    /// <summary>The layers that are named, or found.</summary>
    private int[] Resolve(LayerSet set) => !set.IsAutomatic ? [.. set.Layers]
        : FullLayers(set.Count > 0 ? set.Count : FullLayerSelection.Count(_overlap.Mean(), _statistics.Length));

    /// <summary>
    /// Observers that are not named are the layers that, being read whole, serve the layers after them best. A coded layer after the first observer is read whole
    /// only if it observes too; one that is kept full is in any case.
    /// </summary>
    private int[] Observers(CodecPlan plan)
    {
        if (!plan.Observers.IsAutomatic)
            return [.. plan.Observers.Layers];
        var areFull = plan.FullLayers.IsAutomatic || plan.FullLayers.Layers.Count > 0;
        var whole = Resolve(areFull ? plan.FullLayers : plan.Observers);
        var observers = FullLayerSelection.Observers(whole, _statistics.Length);
        return areFull || observers.Length == 0 ? observers : [.. whole.Where(layer => layer >= observers[0])];
    }
}
