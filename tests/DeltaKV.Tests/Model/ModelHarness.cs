using DeltaKV.Cache;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Model;

/// <summary>A model directory on a device, driven row by row without the engine.</summary>
internal sealed class ModelHarness<T> : IDisposable
    where T : unmanaged
{
    private const int MaxSequences = 4;

    private readonly AcceleratorStream stream;
    private readonly DeviceWeights<T> weights;
    private readonly ITransformerKernels<T> kernels;
    private readonly IKvLayers<T> layers;
    private readonly StepInputs inputs;
    private readonly Transformer<T> transformer;
    private ISequenceCache sequence;
    private readonly List<int> history = [];

    /// <param name="accelerator">Where the model runs.</param>
    /// <param name="directory">The model.</param>
    /// <param name="maxTokens">The longest sequence.</param>
    /// <param name="open">Opens the kernels.</param>
    /// <param name="openCache">Opens the cache; null for the uncompressed one.</param>
    internal ModelHarness(
        Accelerator accelerator,
        string directory,
        int maxTokens,
        Func<AttentionShape, ITransformerKernels<T>> open,
        Func<AcceleratorStream, ModelConfig, DeviceWeights<T>, ITransformerKernels<T>, IKvLayers<T>>? openCache = null)
    {
        Config = ModelConfig.Load(directory);
        stream = accelerator.CreateStream();
        kernels = open(new AttentionShape(Config.HeadCount, Config.KeyValueHeadCount, Config.HeadDim));
        using var source = ModelWeights.Open(directory);
        var plan = MemoryPlan.Create(
            Config, new EngineOptions { MaxModelLength = maxTokens, MaxSequences = MaxSequences }, accelerator.Name, long.MaxValue / 2, 0, 0, Config.KvBytesPerToken);
        weights = DeviceWeights<T>.Load(stream, Config, source, plan, null, CancellationToken.None);
        layers = openCache?.Invoke(stream, Config, weights, kernels)
            ?? new RawKvLayers<T>(stream, kernels, Config.LayerCount, plan.BlockCount, MaxSequences, prefixCaching: false);
        inputs = new StepInputs(accelerator, maxTokens, maxTokens, MaxSequences, maxTokens);
        transformer = new Transformer<T>(accelerator, Config, weights, kernels, layers, maxTokens, maxTokens);
        sequence = layers.Cache.Open();
    }

    internal ModelConfig Config { get; }

    internal KvUsage Usage => sequence.Usage;

    /// <summary>Computes tokens after those so far and returns the logits of each, <c>[tokens][vocabulary]</c>.</summary>
    internal float[][] Run(ReadOnlySpan<int> tokens, bool decode = false)
    {
        var start = history.Count;
        history.AddRange(tokens);
        if (start == 0)
            Assert.True(sequence.TryAdmit(history.ToArray()));
        Assert.True(sequence.TryReserve(tokens.Length));
        inputs.Clear();
        inputs.Add(0, tokens, start, decode);
        for (var row = 0; row < tokens.Length; row++)
            inputs.AddLogits(row);
        layers.Prepare(stream, [new SequenceStep(sequence, 0, tokens.Length)]);
        inputs.Upload(stream);
        var logits = transformer.Forward(stream, inputs);
        var flat = logits.SubView(0, (long)tokens.Length * Config.VocabularySize).GetAsArray(stream);
        sequence.Commit(history.ToArray());
        layers.Cache.Flush();
        return flat.Chunk(Config.VocabularySize).ToArray();
    }

    /// <summary>Forgets all tokens, so that the next run begins a sequence.</summary>
    internal void Restart()
    {
        sequence.Release();
        sequence = layers.Cache.Open();
        history.Clear();
    }

    public void Dispose()
    {
        sequence.Release();
        transformer.Dispose();
        inputs.Dispose();
        layers.Dispose();
        kernels.Dispose();
        weights.Dispose();
        stream.Dispose();
    }
}
