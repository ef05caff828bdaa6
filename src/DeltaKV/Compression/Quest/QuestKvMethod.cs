using DeltaKV.Cache;
using DeltaKV.Cache.Selection;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Quest;

/// <summary>The method <c>quest</c>: all keys and values raw, bounds of every page of 16 keys beside them, a decode step reads the pages that could score highest.</summary>
/// <remarks>Saves reading, not memory: stored are the whole uncompressed cache and a sixteenth more. Source: Tang et al., Quest, ICML 2024.</remarks>
internal sealed class QuestKvMethod(AttentionShape shape, int layers, QuestOptions options) : IKvMethod
{
    public long BytesPerToken => ((long)layers * 2 * shape.KeyHeads * shape.HeadDim * sizeof(ushort)) + (PageBounds.BlockBytes(shape, layers) / KvBlockLayout.Size);

    /// <summary>What is read.</summary>
    internal QuestOptions Options => options;

    /// <summary>Reads the settings <c>top</c>, <c>share</c> and <c>dense</c>.</summary>
    internal static QuestKvMethod Create(KvMethodSpec spec, ModelConfig config)
    {
        spec.Allow("top", "share", "dense");
        var defaults = new QuestOptions();
        var share = spec.SelectedShare();
        return new QuestKvMethod(new AttentionShape(config.HeadCount, config.KeyValueHeadCount, config.HeadDim), config.LayerCount, new QuestOptions
        {
            Budget = new SelectionBudget(spec.Count("top", share > 0 ? 0 : defaults.Budget.Tokens), share),
            DenseLayers = spec.Number("dense", defaults.DenseLayers),
        });
    }

    public long FixedBytes(KvLimits limits) => QuestKvLayers.FixedBytes(shape, options, limits);

    public IKvLayers<BFloat16> Open(KvMethodContext context) => new QuestKvLayers(
        context.Stream, context.Kernels, options, layers, RawBlocks.For(context, this), context.Limits, context.PrefixCaching);
}
