using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>
/// Decode attention over coded layers, and what observation layers think of them: launches <see cref="LatentDecodeKernel"/> and <see cref="LatentCombineKernel"/> and owns the room between them; what they are not
/// made for goes to the general kernel.
/// </summary>
internal sealed class LatentDecode : IDecodeKernel<CodeReader>, IScoreKernel<CodeReader>, IDisposable
{
    // What the largest group of a multiprocessor may take beside static tables, and what lets two of them fit.
    private const int SharedBytes = 227 << 10;
    private const int StaticBytes = 26 << 10;
    private const int MostResident = 2;

    // Groups of a multiprocessor that read the recomputed layer.
    private const int TableGroups = 3;

    private static readonly KernelSpecialization Table = new(32 * RecomputedDecodeKernel.Warps, TableGroups);

    private readonly Accelerator accelerator;
    private readonly AttentionShape shape;
    private readonly LatentTables tables;
    private readonly int maxSplits;
    private readonly ReaderDecodeKernel<CodeReader> general;
    private readonly ScoreKernel<CodeReader> generalScore;
    private readonly LatentVariants variants;
    private readonly KernelHandle<LatentArguments> clear;
    private readonly KernelHandle<LatentArguments> attendRecomputed;
    private readonly CombineSplitsKernel combineRecomputed;
    private readonly int recomputed;
    private readonly DeviceBuffers buffers;
    private readonly ArrayView<float> partialLatent;
    private readonly ArrayView<float> partialReferences;
    private readonly ArrayView<Float2> partialSoftmax;
    private readonly ArrayView<float> partialRaw;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="codecs">One per compressed layer.</param>
    /// <param name="codes">What they became on the device.</param>
    /// <param name="maxRows">Rows of a step.</param>
    /// <param name="recomputed">Number of the layer that comes from a table of tokens; -1: none.</param>
    /// <param name="maxSplits">Most groups that share the tokens of a row and head.</param>
    internal LatentDecode(Accelerator accelerator, AttentionShape shape, IReadOnlyList<LinearCodec> codecs, CodeTables codes, int maxRows, int recomputed = -1, int maxSplits = LatentCombineKernel.MaxSplits)
    {
        (this.accelerator, this.shape, this.recomputed, this.maxSplits) = (accelerator, shape, recomputed, maxSplits);
        buffers = new DeviceBuffers(accelerator);
        general = new ReaderDecodeKernel<CodeReader>(accelerator);
        generalScore = new ScoreKernel<CodeReader>(accelerator);
        clear = new KernelHandle<LatentArguments>(accelerator, LatentScoreKernel.Clear);
        tables = new LatentTables(accelerator, codecs, codes, recomputed);
        variants = new LatentVariants(accelerator, shape.HeadDim);
        attendRecomputed = new KernelHandle<LatentArguments>(
            accelerator, shape.HeadDim == 64 ? RecomputedDecodeKernel.Kernel<Heads.Of64> : RecomputedDecodeKernel.Kernel<Heads.Of128>, Table);
        combineRecomputed = new CombineSplitsKernel(accelerator);
        long raw = maxRows;
        for (var rows = 1; IsFromTable(recomputed) && rows <= maxRows; rows++)
            raw = Math.Max(raw, rows * (TableSplits(rows) + 1L));
        var parts = raw;
        long latents = 0;
        long references = 0;
        for (var layer = 0; layer < codecs.Count; layer++)
        {
            if (!Supports(layer))
                continue;
            for (var rows = 1; rows <= maxRows; rows++)
            {
                var splits = Splits(layer, rows);
                parts = Math.Max(parts, rows * (splits + 1L));
                latents = Math.Max(latents, (long)rows * splits * 16 * tables.Layer(layer).ValueSteps);
                references = Math.Max(references, tables.Layer(layer).Neighbours > 0 ? (long)rows * splits : 0);
            }
        }

        partialLatent = buffers.Allocate<float>(latents * shape.QueryHeads);
        partialReferences = buffers.Allocate<float>(references * shape.OutputWidth);
        partialSoftmax = buffers.Allocate<Float2>(parts * shape.QueryHeads);
        partialRaw = buffers.Allocate<float>(raw * shape.OutputWidth);
    }

    /// <summary>Bytes of the room for so many rows, whatever the codecs.</summary>
    /// <param name="shape">The heads.</param>
    /// <param name="maxRows">Rows of a step.</param>
    /// <param name="leastHeads">Key heads that keep history, in the layer with the fewest.</param>
    internal static long WorkBytes(AttentionShape shape, int maxRows, int leastHeads)
    {
        // Every row has one split of raw tokens besides.
        var parts = maxRows + SplitCount.Most(maxRows, Math.Max(leastHeads, 1), MostResident * DecodeAttention.MostMultiprocessors);
        var raw = Math.Max(2L * maxRows, DecodeAttention.MostMultiprocessors * TableGroups / shape.KeyHeads);
        return parts * shape.QueryHeads * ((16 * LatentTables.MaxSteps * sizeof(float)) + (shape.HeadDim * sizeof(float)) + (2 * 2 * sizeof(float))) + (raw * shape.OutputWidth * sizeof(float));
    }

    /// <summary>Whether a compressed layer can be read this way.</summary>
    internal bool Supports(int layer) =>
        shape.HeadDim is 64 or 128
        && tables.Layer(layer) is { IsSupported: true, KeySteps: > 0, ValueSteps: > 0 } plan
        && Bytes(plan, 1) + StaticBytes <= SharedBytes;

    /// <inheritdoc/>
    public void Launch(AcceleratorStream stream, DecodeArguments<CodeReader> arguments, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        // What is recomputed comes before all observation layers, so nothing is selected of it. Its kernel takes tokens that follow each other.
        if (IsFromTable(arguments.Reader.Layer) && arguments.Order.SelectedCounts.Length == 0 && arguments.Reader.Pool.Positions.Length == 0)
        {
            LaunchRecomputed(stream, arguments, rowCount);
            return;
        }

        if (!Supports(arguments.Reader.Layer))
        {
            general.Launch(stream, arguments, shape, rowCount);
            return;
        }

        var plan = tables.Layer(arguments.Reader.Layer);
        var latent = Arguments(arguments, rowCount);
        variants.Attend(plan, arguments.Reader.Pool).Launch(stream, Config(plan, latent, latent.Splits + 1, rowCount), latent);
        variants.Combine.Launch(stream, new KernelConfig(new Index2D(shape.QueryHeads, rowCount), new Index2D(2 * shape.HeadDim, 1)), latent);
    }

    /// <inheritdoc/>
    public bool KeepsLogits(CodeReader reader) => IsFromTable(reader.Layer) || Supports(reader.Layer);

    /// <inheritdoc/>
    public void Launch(
        AcceleratorStream stream, DecodeArguments<CodeReader> decode, ArrayView<float> scores, int scoreStride, int lists, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        if (!Supports(decode.Reader.Layer))
        {
            generalScore.Launch(stream, decode, scores, scoreStride, lists, shape, rowCount);
            return;
        }

        var plan = tables.Layer(decode.Reader.Layer);
        var latent = Arguments(decode, rowCount);
        latent.Scores = scores.Cast<uint>();
        latent.ScoreStride = scoreStride;
        latent.Lists = lists;
        clear.Launch(
            stream,
            new KernelConfig(
                new Index3D((scoreStride + LatentScoreKernel.ClearThreads - 1) / LatentScoreKernel.ClearThreads, rowCount, lists),
                new Index3D(LatentScoreKernel.ClearThreads, 1, 1)),
            latent);
        variants.Score(plan, decode.Reader.Pool).Launch(stream, Config(plan, latent, latent.Splits, rowCount), latent);
    }

    public void Dispose()
    {
        tables.Dispose();
        buffers.Dispose();
    }

    /// <summary>Whether a layer is read from the table of tokens by a kernel of its own.</summary>
    private bool IsFromTable(int layer) => layer >= 0 && layer == recomputed && shape.HeadDim is 64 or 128;

    private void LaunchRecomputed(AcceleratorStream stream, DecodeArguments<CodeReader> arguments, int rowCount)
    {
        var latent = Arguments(arguments, rowCount);
        latent.Splits = TableSplits(rowCount);
        latent.RawParts = latent.Splits + 1;
        attendRecomputed.Launch(
            stream,
            new KernelConfig(
                new Index3D(latent.Splits + 1, shape.KeyHeads * QueryGroup.PartsOf(shape), rowCount),
                new Index3D(32 * RecomputedDecodeKernel.Warps, 1, 1),
                SharedMemoryConfig.RequestDynamic<UInt4>(shape.HeadDim == 64 ? RecomputedDecodeKernel.Pieces<Heads.Of64>() : RecomputedDecodeKernel.Pieces<Heads.Of128>())),
            latent);
        combineRecomputed.Launch(
            stream, partialRaw, partialSoftmax, arguments.Output, arguments.LogSumExp, shape, latent.Splits + 1, rowCount);
    }

    /// <summary>As many groups as fill the device once, one per head of which is for raw tokens.</summary>
    private int TableSplits(int rows) => Math.Clamp(
        (accelerator.NumMultiprocessors * TableGroups / (rows * shape.KeyHeads * QueryGroup.PartsOf(shape))) - 1, 1, maxSplits);

    private LatentArguments Arguments(DecodeArguments<CodeReader> arguments, int rowCount)
    {
        var reader = arguments.Reader;
        var plan = tables.Layer(reader.Layer);
        return new LatentArguments
        {
            Pool = reader.Pool,
            Raw = reader.Raw,
            Plans = tables.Plans,
            Pieces = tables.Pieces,
            Steps = tables.Steps,
            Rows = arguments.Rows,
            Order = arguments.Order,
            Qkv = arguments.Qkv.Cast<UInt4>(),
            Output = arguments.Output.Cast<BFloat16>(),
            PartialLatent = partialLatent,
            PartialReferences = partialReferences,
            PartialSoftmax = partialSoftmax,
            PartialRaw = partialRaw,
            RawParts = 1,
            Logits = arguments.Logits,
            LogSumExp = arguments.LogSumExp,
            Layer = reader.Layer,
            QueryHeads = shape.QueryHeads,
            KeyHeads = shape.KeyHeads,
            Splits = Splits(reader.Layer, rowCount),
            LatentStride = 16 * plan.ValueSteps,
            TokenPieces = plan.Pieces,
            UpPieces = UpPieces(plan),
            Stages = Stages(plan),
            Scale = shape.ScoreScale,
        };
    }

    private KernelConfig Config(LatentLayer plan, LatentArguments arguments, int splits, int rowCount) => new(
        new Index3D(splits, shape.KeyHeads * QueryGroup.PartsOf(shape), rowCount),
        new Index3D(32 * LatentDecodeKernel.Warps, 1, 1),
        SharedMemoryConfig.RequestDynamic<UInt4>(Bytes(plan, arguments.Stages) / 16));

    private int UpPieces(LatentLayer plan) => plan.KeySteps * shape.HeadDim * 2;

    private int Bytes(LatentLayer plan, int stages) => 16 * Math.Max(
        UpPieces(plan) + (stages * LatentDecodeKernel.TileTokens * plan.Pieces),
        Math.Max(RawSplit.Pieces(shape.HeadDim, LatentDecodeKernel.Warps), LatentFinish.Floats(LatentVariants.IsNarrow(plan) ? 1 : 4, plan.Neighbours > 0) / 4));

    /// <summary>Groups that fit a multiprocessor beside each other.</summary>
    private int Resident(LatentLayer plan, int stages) => LatentVariants.IsNarrow(plan) && MostResident * (Bytes(plan, stages) + StaticBytes) <= SharedBytes ? MostResident : 1;

    /// <summary>Three tiles' codes, or two, if they fit and cost no group.</summary>
    private int Stages(LatentLayer plan)
    {
        var stages = 3;
        while (stages > 1 && (Bytes(plan, stages) + StaticBytes > SharedBytes || Resident(plan, stages) < Resident(plan, 1)))
            stages--;
        return stages;
    }

    private int Splits(int layer, int rows)
    {
        var plan = tables.Layer(layer);
        // Groups of heads without history leave at once.
        return SplitCount.Best(rows * plan.Heads * QueryGroup.PartsOf(shape), accelerator.NumMultiprocessors * Resident(plan, Stages(plan)), maxSplits);
    }
}
