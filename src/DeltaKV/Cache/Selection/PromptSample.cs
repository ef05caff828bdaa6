using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>
/// The one prompt chunk of a step whose layers read chosen tokens: sixteen of its queries, evenly spread with the last among them, that choose for all, and where the chunk lies once what is left out is gone.
/// </summary>
internal sealed class PromptSample : IDisposable
{
    /// <summary>The most queries that choose.</summary>
    internal const int MaxQueries = 16;

    private const int TileWords = 4;

    private readonly AttentionShape shape;
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly PageLockedArray1D<int> staging;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> device;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> queries;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> output;
    private readonly int tokens;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="kernels">The kernels of the forward pass; not owned.</param>
    /// <param name="tokens">Tokens of history that a chunk's layers read; a multiple of 16; 0: all.</param>
    /// <param name="stepTokens">The most tokens of a chunk.</param>
    internal PromptSample(Accelerator accelerator, ITransformerKernels<BFloat16> kernels, int tokens, int stepTokens)
    {
        (this.kernels, shape, this.tokens) = (kernels, kernels.Shape, tokens);
        var words = (3 * MaxQueries) + (TileWords * PrefillTile.CountOf(tokens == 0 ? 1 : stepTokens));
        staging = accelerator.AllocatePageLocked1D<int>(words);
        device = accelerator.Allocate1D<int>(words);
        queries = accelerator.Allocate1D<BFloat16>(tokens == 0 ? 8 : MaxQueries * shape.QkvWidth);
        output = accelerator.Allocate1D<BFloat16>(tokens == 0 ? 8 : MaxQueries * shape.OutputWidth);
    }

    /// <summary>Queries that choose; 0: no chunk of the step reads chosen tokens.</summary>
    internal int Count { get; private set; }

    /// <summary>Tiles of the chunk.</summary>
    internal int TileCount { get; private set; }

    /// <summary>Tokens of history that the chunk leaves out.</summary>
    internal int LeftOut { get; private set; }

    /// <summary>Sequence and position of the queries.</summary>
    internal TokenRows Rows => new(Part(MaxQueries), Part(2 * MaxQueries));

    /// <summary>Where their attention goes; nobody reads it.</summary>
    internal ArrayView<BFloat16x2> Output => output.View.BaseView.Cast<BFloat16x2>();

    /// <summary>The chunk's tiles in a history without what is left out.</summary>
    internal ArrayView<PrefillTile> Tiles => device.View.BaseView.SubView(3 * MaxQueries).Cast<PrefillTile>();

    /// <summary>The most rows of a decode: a sequence each, or the queries that choose where prompts read that many chosen tokens; 0: they read all.</summary>
    internal static int DecodeRows(int tokens, int sequences) => tokens > 0 ? Math.Max(sequences, MaxQueries) : sequences;

    /// <summary>What a sample allocates.</summary>
    internal static long Bytes(AttentionShape shape, int tokens, int stepTokens) =>
        tokens == 0 ? 0 : (MaxQueries * 2L * (shape.QkvWidth + shape.OutputWidth)) + (sizeof(int) * ((3L * MaxQueries) + (TileWords * PrefillTile.CountOf(stepTokens))));

    /// <summary>Looks for the chunk: the only one of its step, with more history than is read. The copy of the last step must have finished.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="steps">The sequences of the step.</param>
    /// <param name="historyOf">Tokens of a sequence's history that may be left out; a multiple of 16.</param>
    internal void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> steps, Func<SequenceStep, int> historyOf)
    {
        Count = LeftOut = 0;
        var prompt = -1;
        for (var i = 0; i < steps.Length; i++)
        {
            if (steps[i].Rows > 1 && prompt >= 0)
                return;
            prompt = steps[i].Rows > 1 ? i : prompt;
        }

        if (tokens == 0 || prompt < 0 || historyOf(steps[prompt]) <= tokens)
            return;
        var step = steps[prompt];
        LeftOut = historyOf(step) - tokens;
        Count = Math.Min(MaxQueries, step.Rows);
        var words = staging.Span;
        for (var i = 0; i < Count; i++)
        {
            var row = (int)((long)(i + 1) * step.Rows / Count) - 1;
            words[i] = step.FirstRow + row;
            words[MaxQueries + i] = prompt;
            words[(2 * MaxQueries) + i] = step.Cache.Length + row;
        }

        TileCount = PrefillTile.Cut(
            prompt, step.FirstRow, step.Rows, step.Cache.Length - LeftOut, System.Runtime.InteropServices.MemoryMarshal.Cast<int, PrefillTile>(words[(3 * MaxQueries)..]));
        device.View.BaseView.CopyFromPageLockedAsync(stream, staging, (3 * MaxQueries) + (TileWords * TileCount));
    }

    /// <summary>Whether the step's tiles are those of the chunk and read what is chosen.</summary>
    internal bool Chooses(in AttentionStep step) => Count > 0 && step.TileCount == TileCount;

    /// <summary>The queries' rows of q, k and v.</summary>
    internal ArrayView<uint> Gather(AcceleratorStream stream, ArrayView<BFloat16> qkv)
    {
        kernels.Gather(stream, Part(0), qkv, queries.View, Count, shape.QkvWidth);
        return queries.View.BaseView.Cast<uint>();
    }

    public void Dispose()
    {
        staging.Dispose();
        device.Dispose();
        queries.Dispose();
        output.Dispose();
    }

    private ArrayView<int> Part(int start) => device.View.BaseView.SubView(start, MaxQueries);
}
