using DeltaKV.Cache;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Compression.OmniKv;

/// <summary>The method <c>omnikv</c>: all keys and values raw, observation layers choose the tokens that the layers after them read in a decode step.</summary>
/// <remarks>Saves reading, not memory: stored is the whole uncompressed cache. Source: Hao et al., OmniKV, ICLR 2025.</remarks>
internal sealed class OmniKvMethod(AttentionShape shape, int layers, OmniKvOptions options) : IKvMethod
{
    public long BytesPerToken => (long)layers * 2 * shape.KeyHeads * shape.HeadDim * sizeof(ushort);

    /// <summary>Who chooses and how much.</summary>
    internal OmniKvOptions Options => options;

    /// <summary>Reads the settings <c>observers</c>, <c>full</c>, <c>top</c>, <c>share</c>, <c>heads</c>, <c>prefill</c>, <c>sinks</c>, <c>recent</c> and <c>codec</c>.</summary>
    /// <param name="spec">The settings.</param>
    /// <param name="config">The model.</param>
    /// <param name="directory">Where a codec may lie whose calibration found observation layers; null: nowhere.</param>
    /// <exception cref="NotSupportedException">No observation layers are known.</exception>
    internal static OmniKvMethod Create(KvMethodSpec spec, ModelConfig config, string? directory)
    {
        spec.Allow("observers", "full", "top", "share", "heads", "prefill", "sinks", "recent", "codec");
        int[] observers = spec.Layers("observers", config.LayerCount);
        if (observers.Length == 0)
            observers = FromCodec(spec.Text("codec") ?? (directory is null ? null : Path.Combine(directory, KvMethods.CodecFileName)));
        if (observers.Length == 0)
        {
            throw new NotSupportedException(
                $"The method 'omnikv' needs observation layers: name them, as in 'omnikv:observers=2+8', or calibrate a codec that has some ('{KvMethods.CodecFileName}' beside the model, or codec=FILE).");
        }

        var share = spec.SelectedShare();
        return new OmniKvMethod(new AttentionShape(config.HeadCount, config.KeyValueHeadCount, config.HeadDim), config.LayerCount, new OmniKvOptions
        {
            Observers = [.. observers.Distinct().Order()],
            FullLayers = [.. spec.Layers("full", config.LayerCount)],
            Budget = new SelectionBudget(spec.Count("top", share > 0 ? 0 : 2048), share),
            PerHead = spec.PerHead(),
            PrefillTokens = spec.PrefillTokens(),
            Sinks = Tiles(spec.Count("sinks", 16)),
            Recent = spec.Count("recent", 64),
        });
    }

    public long FixedBytes(KvLimits limits) => OmniKvLayers.FixedBytes(shape, options, limits);

    public IKvLayers<BFloat16> Open(KvMethodContext context) => new OmniKvLayers(
        context.Stream, context.Kernels, options, layers, RawBlocks.For(context, this), context.Limits, context.PrefixCaching);

    private static int Tiles(int tokens) => (tokens + 15) / 16 * 16;

    private static int[] FromCodec(string? path)
    {
        if (path is null || !File.Exists(path))
            return [];
        var codec = CodecFile.Load(path);
        return [.. Enumerable.Range(0, codec.Layers.Count).Where(layer => codec.Layers[layer].Observes)];
    }
}
