using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes.Decoding;
using DeltaKV.Compression.Codes.Reading;
using DeltaKV.Compression.Codes.Hot;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Kivi;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>A method that is a linear codec per layer: deltakv, a calibrated transform, rotated integers, the identity.</summary>
internal sealed class CodedKvMethod(CodedKvFormat format) : IKvMethod
{
    public long BytesPerToken => Math.Max(1, (long)Math.Ceiling(format.TokenBytes));

    /// <summary>What is stored.</summary>
    internal CodedKvFormat Format => format;

    public long FixedBytes(KvLimits limits) => CodedKvCapacity.FixedBytes(format, limits.Sequences, limits.StepTokens) + WorkBytes(limits);

    public IKvLayers<BFloat16> Open(KvMethodContext context)
    {
        var limits = context.Limits;
        var capacity = CodedKvCapacity.ForBytes(
            format, context.Bytes - WorkBytes(limits), limits.Sequences, limits.StepTokens, (long)limits.Sequences * limits.SequenceTokens);
        var firstLayer = format.RecomputesFirstLayer ? new FirstLayerTable(context.Stream, context.Config, context.Weights, context.Kernels) : null;
        return new CodedKvLayers(context.Stream, context.Kernels, format, capacity, context.Config.Rope, limits, context.PrefixCaching, firstLayer);
    }

    /// <summary>Bytes that hold no tokens.</summary>
    private long WorkBytes(KvLimits limits) => limits.ScratchBytes + format.FeatureBytes
        + ReadScratch.WorkBytes(format.Shape, format.DecodeRows(limits)) + PlainAttention.WorkBytes(format.Shape, limits)
        + (limits.Sequences * format.HotBytes) + HotSet.WorkBytes(format, limits)
        + Compressor.WorkBytes(format, limits.StepTokens + (limits.Sequences * format.CodeTokens))
        + KiviLayers.WorkBytes(format, limits.StepTokens + (limits.Sequences * format.CodeTokens))
        + DecodingMemory.Bytes(format, limits)
        + (format.Codecs.Count == 0
        ? 0
        : LatentDecode.WorkBytes(
            format.Shape, format.DecodeRows(limits), format.Codecs.Select(codec => codec.HistoryHeads).Where(heads => heads > 0).DefaultIfEmpty(1).Min()))
        + (format.ObservesRawLayers ? ObservedDecode.Bytes(format.Shape, format.DecodeRows(limits)) : 0)
        + (format.Observers.Count == 0
        ? 0
        : TokenSelector.Bytes(
                format.Shape, format.Options.Selection, format.Options.SelectsPerHead, format.Options.PrefillTokens, limits.Sequences, limits.SequenceTokens)
            + PromptSample.Bytes(format.Shape, format.Options.PrefillTokens, limits.StepTokens));
}
