using DeltaKV.Cache;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Model;

/// <summary>The forward pass of Llama, Mistral, Qwen2 and Qwen3: pre-norm attention and SwiGLU blocks on a residual stream.</summary>
/// <remarks>
/// <c>x += O attend(rope(QKV norm(x)))</c>, <c>x += down(silu(gate norm(x)) * up norm(x))</c>, per layer; then <c>logits = head norm(x)</c>. It names
/// no cache method: it appends where <see cref="IKvLayers{T}"/> says and asks it to attend. Sources: Touvron et al., Llama 2, 2023; Qwen technical reports.
/// </remarks>
/// <typeparam name="T">Storage of weights and activations.</typeparam>
internal sealed class Transformer<T> : IDisposable
    where T : unmanaged
{
    private readonly ModelConfig config;
    private readonly DeviceWeights<T> weights;
    private readonly ITransformerKernels<T> kernels;
    private readonly IKvLayers<T> cache;
    private readonly Workspace<T> workspace;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> inverseFrequencies;

    /// <summary>Builds the pass over weights, kernels and cache, none of which it owns.</summary>
    internal Transformer(
        Accelerator accelerator, ModelConfig config, DeviceWeights<T> weights, ITransformerKernels<T> kernels, IKvLayers<T> cache, int maxRows, int maxLogitRows)
    {
        this.config = config;
        this.weights = weights;
        this.kernels = kernels;
        this.cache = cache;
        workspace = new Workspace<T>(accelerator, config, maxRows, maxLogitRows);
        inverseFrequencies = accelerator.Allocate1D(RopeFrequencies.Inverse(config.Rope, config.HeadDim));
    }

    /// <summary>Told of every layer's projections <c>[rows, q | k | v]</c>, before norms and RoPE, when they are enqueued; null when nobody watches.</summary>
    internal Action<int, ArrayView<T>, int>? Observer { get; set; }

    /// <summary>Enqueues the pass over the rows of a step and returns the logits <c>[logitRows, vocabulary]</c> it will write.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="inputs">Token, sequence and position of every row, and which rows' logits are wanted.</param>
    /// <param name="batch">Asked between layers whether it is abandoned; null in a step too short to give up.</param>
    /// <exception cref="OperationCanceledException">The batch was abandoned.</exception>
    internal ArrayView<float> Forward(AcceleratorStream stream, StepInputs inputs, ScheduledBatch? batch = null)
    {
        var step = inputs.Step;
        int rows = step.RowCount, hidden = config.HiddenSize;
        kernels.Gather(stream, inputs.Tokens, weights.Embedding, workspace.Residual, rows, hidden);
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            if (batch is { IsAbandoned: true })
                throw new OperationCanceledException("Nobody waits for this step any more.");
            Attention(stream, layer, step);
            FeedForward(stream, weights.Layers[layer], rows);
        }

        kernels.Gather(stream, inputs.LogitRows, workspace.Residual, workspace.Normed, inputs.LogitCount, hidden);
        kernels.Norm(stream, workspace.Normed, weights.FinalNorm, workspace.Last, inputs.LogitCount, hidden, config.RmsNormEpsilon);
        kernels.Logits(stream, workspace.Last, weights.Head, workspace.Logits, inputs.LogitCount, config.VocabularySize, hidden);
        return workspace.Logits;
    }

    public void Dispose()
    {
        workspace.Dispose();
        inverseFrequencies.Dispose();
    }

    private void Attention(AcceleratorStream stream, int layer, in AttentionStep step)
    {
        var w = weights.Layers[layer];
        int rows = step.RowCount, hidden = config.HiddenSize;
        kernels.Norm(stream, workspace.Residual, w.AttentionNorm, workspace.Normed, rows, hidden, config.RmsNormEpsilon);
        if (config.HasQkvBias)
            kernels.LinearBias(stream, workspace.Normed, w.Qkv, w.QkvBias, workspace.Qkv, rows, kernels.Shape.QkvWidth, hidden);
        else
            kernels.Linear(stream, workspace.Normed, w.Qkv, workspace.Qkv, rows, kernels.Shape.QkvWidth, hidden);

        Observer?.Invoke(layer, workspace.Qkv, rows);
        var rope = new RopeWeights<T>(inverseFrequencies.View, (float)config.Rope.AttentionFactor, w.QueryNorm, w.KeyNorm, config.RmsNormEpsilon);
        kernels.RopeAppend(stream, workspace.Qkv, step.Rows, cache.Blocks(layer), rope, rows);
        cache.Attend(stream, layer, workspace.Qkv, step, workspace.Attended);
        kernels.LinearAdd(stream, workspace.Attended, w.Output, workspace.Residual, workspace.Residual, rows, hidden, kernels.Shape.OutputWidth);
    }

    private void FeedForward(AcceleratorStream stream, LayerWeights<T> w, int rows)
    {
        int hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        kernels.Norm(stream, workspace.Residual, w.FeedForwardNorm, workspace.Normed, rows, hidden, config.RmsNormEpsilon);
        kernels.LinearSwiGlu(stream, workspace.Normed, w.GateUp, workspace.Gated, rows, intermediate, hidden);
        kernels.LinearAdd(stream, workspace.Gated, w.Down, workspace.Residual, workspace.Residual, rows, hidden, intermediate);
    }
}
