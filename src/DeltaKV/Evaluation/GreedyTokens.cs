using DeltaKV.Gpu;
using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Evaluation;

/// <summary>The most likely token of every row of logits, chosen on the device and written into the host's memory.</summary>
internal sealed class GreedyTokens : IDisposable
{
    private readonly SamplingKernel kernel;
    private readonly MemoryBuffer1D<SamplingRow, Stride1D.Dense> rows;
    private readonly MemoryBuffer1D<TokenBias, Stride1D.Dense> noBiases;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> noCounts;
    private readonly PageLockedArray1D<int> chosen;
    private readonly int vocabulary;

    /// <param name="stream">Where steps run.</param>
    /// <param name="vocabulary">Tokens.</param>
    /// <param name="maxRows">The most rows of a step.</param>
    internal GreedyTokens(AcceleratorStream stream, int vocabulary, int maxRows)
    {
        this.vocabulary = vocabulary;
        var accelerator = stream.Accelerator;
        kernel = new SamplingKernel(accelerator);
        rows = accelerator.Allocate1D<SamplingRow>(maxRows);
        noBiases = accelerator.Allocate1D<TokenBias>(1);
        noCounts = accelerator.Allocate1D<int>(1);
        chosen = accelerator.AllocatePageLocked1D<int>(maxRows);
        // A row of zeros takes the most likely token as it is.
        rows.View.BaseView.MemSetToZero(stream);
    }

    /// <summary>The tokens, once the stream has been waited for.</summary>
    internal ReadOnlySpan<int> Chosen => chosen.Span;

    /// <summary>Enqueues the choice behind the step that computes the logits <c>[count, vocabulary]</c>.</summary>
    internal void Enqueue(AcceleratorStream stream, ArrayView<float> logits, int count) =>
        kernel.Launch(stream, logits, rows.View, noBiases.View, noCounts.View, chosen.ArrayView, count, vocabulary);

    public void Dispose()
    {
        rows.Dispose();
        noBiases.Dispose();
        noCounts.Dispose();
        chosen.Dispose();
    }
}
