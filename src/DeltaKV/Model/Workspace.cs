using DeltaKV.Gpu;
using DeltaKV.Weights;

namespace DeltaKV.Model;

/// <summary>The activations of one step, allocated once for the largest.</summary>
internal sealed class Workspace<T> : IDisposable
    where T : unmanaged
{
    private readonly MemoryBuffer1D<T, Stride1D.Dense> activations;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> logits;

    internal Workspace(Accelerator accelerator, ModelConfig config, int maxRows, int maxLogitRows)
    {
        activations = accelerator.Allocate1D<T>(Elements(config, maxRows, maxLogitRows));
        logits = accelerator.Allocate1D<float>((long)maxLogitRows * config.VocabularySize);
        long offset = 0;
        ArrayView<T> Cut(long width, int rows)
        {
            var view = activations.View.BaseView.SubView(offset, width * rows);
            offset += view.Length;
            return view;
        }

        Residual = Cut(config.HiddenSize, maxRows);
        Normed = Cut(config.HiddenSize, Math.Max(maxRows, maxLogitRows));
        Qkv = Cut((config.HeadCount * config.HeadDim) + config.KeyValueWidth, maxRows);
        Attended = Cut(config.HeadCount * config.HeadDim, maxRows);
        Gated = Cut(config.IntermediateSize, maxRows);
        Last = Cut(config.HiddenSize, maxLogitRows);
    }

    /// <summary>The residual stream <c>[rows, hidden]</c>.</summary>
    internal ArrayView<T> Residual { get; }

    /// <summary>A normed copy of it <c>[rows, hidden]</c>.</summary>
    internal ArrayView<T> Normed { get; }

    /// <summary><c>[rows, (heads + 2 kvHeads) * headDim]</c></summary>
    internal ArrayView<T> Qkv { get; }

    /// <summary>What attention gives <c>[rows, heads * headDim]</c>.</summary>
    internal ArrayView<T> Attended { get; }

    /// <summary>Gate times up <c>[rows, intermediate]</c>.</summary>
    internal ArrayView<T> Gated { get; }

    /// <summary>Normed rows whose logits are wanted <c>[logitRows, hidden]</c>.</summary>
    internal ArrayView<T> Last { get; }

    /// <summary><c>[logitRows, vocabulary]</c>, fp32.</summary>
    internal ArrayView<float> Logits => logits.View;

    /// <summary>Bytes of a workspace of this size.</summary>
    internal static long Bytes(ModelConfig config, int maxRows, int maxLogitRows) =>
        (Elements(config, maxRows, maxLogitRows) * ArrayView<T>.ElementSize) + ((long)maxLogitRows * config.VocabularySize * sizeof(float));

    public void Dispose()
    {
        activations.Dispose();
        logits.Dispose();
    }

    private static long Elements(ModelConfig config, int maxRows, int maxLogitRows)
    {
        long queries = (long)config.HeadCount * config.HeadDim;
        var perRow = config.HiddenSize + (2 * queries) + config.KeyValueWidth + config.IntermediateSize;
        return (maxRows * perRow) + ((long)config.HiddenSize * (Math.Max(maxRows, maxLogitRows) + maxLogitRows));
    }
}
