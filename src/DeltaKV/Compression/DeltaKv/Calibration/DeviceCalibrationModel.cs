using System.Runtime.InteropServices;
using DeltaKV.Cache;
using DeltaKV.Compression.CompressKv;
using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Reads calibration documents with a model on a device; the full cache, and projections copied to the host layer by layer.</summary>
internal sealed class DeviceCalibrationModel : IAnsweringModel, IDisposable
{
    private readonly ModelConfig _config;
    private readonly ModelWeights _weights;
    private readonly ModelDevice<BFloat16> _device;
    private readonly DeviceSession _session;
    private readonly float[] _inverseFrequencies;

    /// <summary>Loads the model.</summary>
    /// <param name="directory">A model directory.</param>
    /// <param name="options">Device, chunk and longest document; the method is always the full cache, and nothing is reused between documents.</param>
    public DeviceCalibrationModel(string directory, EngineOptions options)
    {
        options = options with { KvMethod = "full", PrefixCaching = false };
        _config = ModelConfig.Load(directory);
        _inverseFrequencies = RopeFrequencies.Inverse(_config.Rope, _config.HeadDim);
        Tokenizer = ModelTokenizer.Load(directory);
        _weights = ModelWeights.Open(directory);
        Fingerprint = ModelFingerprint.Of(_config, _weights);
        using var factory = new DeviceRunnerFactory(options);
        var plan = factory.Plan(_config, _weights, options);
        _device = factory.OpenModel(_config, _weights, plan, options);
        _session = new DeviceSession(
            _device, _config, GenerationDefaults.Load(directory, _config).EosTokenIds, plan.MaxModelLength, options.MaxBatchTokens);
    }

    /// <inheritdoc/>
    public ModelFingerprint Fingerprint { get; }

    /// <inheritdoc/>
    public IEvaluationTokenizer Tokenizer { get; }

    /// <summary>Where the model runs; a codec may be trained there too.</summary>
    internal Accelerator Accelerator => _device.Stream.Accelerator;

    /// <inheritdoc/>
    public AttentionGeometry Geometry(int layer) => new(
        _config.HeadCount, _config.KeyValueHeadCount, _config.HeadDim, _config.HiddenSize, _inverseFrequencies,
        Read(layer, "self_attn.o_proj.weight", _config.HiddenSize, _config.HeadCount * _config.HeadDim));

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> queryPositions, CalibrationVisitor visit)
    {
        var capture = new ProjectionCapture(_config, _inverseFrequencies, tokens.Length, queryPositions, Norms);
        var sequence = _session.Open(tokens);
        try
        {
            _session.Observer = Watch(capture, sequence);
            _session.Extend(sequence, tokens, tokens.Length);
        }
        finally
        {
            _session.Observer = null;
            sequence.Release();
        }

        for (var layer = 0; layer < _config.LayerCount; layer++)
            visit(layer, capture.Rows[layer], capture.Queries[layer]);
    }

    /// <inheritdoc/>
    public int[] Answer(ReadOnlySpan<int> prompt, int maximumTokens, int window, CalibrationVisitor visit)
    {
        var (longest, first) = (prompt.Length + maximumTokens, prompt.Length - window);
        var capture = new ProjectionCapture(_config, _inverseFrequencies, longest, [.. Enumerable.Range(first, longest - first)], Norms);
        var tokens = new List<int>([.. prompt]);
        var sequence = _session.Open(prompt);
        try
        {
            _session.Observer = Watch(capture, sequence);
            for (var next = _session.Extend(sequence, prompt, prompt.Length); !_session.IsEnd(next) && tokens.Count < longest;)
            {
                tokens.Add(next);
                next = _session.Decode(sequence, CollectionsMarshal.AsSpan(tokens));
            }
        }
        finally
        {
            _session.Observer = null;
            sequence.Release();
        }

        var queryWidth = _config.HeadCount * _config.HeadDim;
        for (var layer = 0; layer < _config.LayerCount; layer++)
        {
            visit(
                layer, capture.Rows[layer].AsMemory(0, tokens.Count * _config.KeyValueWidth),
                capture.Queries[layer].AsMemory(0, (tokens.Count - first) * queryWidth));
        }

        return [.. tokens.Skip(prompt.Length)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _device.Dispose();
        _weights.Dispose();
    }

    private Action<int, ArrayView<BFloat16>, int> Watch(ProjectionCapture capture, ISequenceCache sequence) => (layer, projections, rows) =>
    {
        var host = new BFloat16[rows * capture.ProjectionWidth];
        projections.SubView(0, host.Length).CopyToCPU(_device.Stream, host);
        _device.Stream.Synchronize();
        capture.Add(layer, sequence.Length, host);
    };

    private (float[]? Query, float[]? Key) Norms(int layer) => _config.HasQkNorm
        ? (Read(layer, "self_attn.q_norm.weight", _config.HeadDim), Read(layer, "self_attn.k_norm.weight", _config.HeadDim))
        : (null, null);

    private float[] Read(int layer, string part, params ReadOnlySpan<long> shape)
    {
        var tensor = _weights.Require(WeightNames.Layer(layer, part), shape);
        var values = new float[tensor.Info.ElementCount];
        tensor.ReadSingle(0, values);
        return values;
    }
}
