using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Reference;

/// <summary>Lets calibration read documents with the reference transformer.</summary>
internal sealed class ReferenceCalibrationModel : ICalibrationModel
{
    private readonly ReferenceTransformer _model;
    private readonly float[] _inverseFrequencies;

    public ReferenceCalibrationModel(string directory, ReferenceTransformer model)
    {
        _model = model;
        Tokenizer = ModelTokenizer.Load(directory);
        var config = ModelConfig.Load(directory);
        _inverseFrequencies = RopeFrequencies.Inverse(config.Rope, config.HeadDim);
        using var weights = ModelWeights.Open(directory);
        Fingerprint = ModelFingerprint.Of(config, weights);
    }

    public ModelFingerprint Fingerprint { get; }

    public IEvaluationTokenizer Tokenizer { get; }

    public AttentionGeometry Geometry(int layer) => new(
        _model.Config.Heads, _model.Config.KvHeads, _model.Config.HeadDim, _model.Config.Hidden, _inverseFrequencies,
        _model.OutputProjection(layer));

    public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> queryPositions, CalibrationVisitor visit)
    {
        var cache = new ReferenceCache(_model.Config, tokens.Length);
        var tap = new QueryTap(_model.Config, queryPositions);
        _model.Forward(tokens, cache, tap);
        for (var layer = 0; layer < _model.Config.Layers; layer++)
            visit(layer, cache.Rows(layer).AsMemory(0, tokens.Length * _model.Config.KvWidth), tap.Queries[layer]);
    }

    private sealed class QueryTap : ReferenceTap
    {
        private readonly int _headDim;
        private readonly int _stride;
        private readonly Dictionary<int, int> _index = [];

        public QueryTap(ReferenceConfig config, ReadOnlySpan<int> positions)
        {
            (_headDim, _stride) = (config.HeadDim, config.Heads * config.HeadDim);
            foreach (var position in positions)
                _index[position] = _index.Count;
            Queries = [.. Enumerable.Range(0, config.Layers).Select(_ => new float[_index.Count * _stride])];
        }

        public float[][] Queries { get; }

        public override void Attention(int layer, int head, int position, ReadOnlySpan<float> query, ReadOnlySpan<float> probabilities)
        {
            if (_index.TryGetValue(position, out var index))
                query.CopyTo(Queries[layer].AsSpan(index * _stride + head * _headDim));
        }
    }
}
