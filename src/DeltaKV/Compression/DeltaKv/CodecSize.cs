using DeltaKV.Cache;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.DeltaKv;

/// <summary>What a sequence of so many tokens holds with a codec: the bytes that <see cref="KvUsage"/> measures, before there is a sequence.</summary>
internal static class CodecSize
{
    /// <summary>Bytes of the uncompressed cache.</summary>
    public static long Full(ModelFingerprint model, long tokens) => tokens * model.Layers * 4 * model.KvHeads * model.HeadDim;

    /// <summary>Tokens that are coded once everything old enough is.</summary>
    public static int CodedTokens(DeltaKvCodec codec, int tokens)
    {
        var format = Format(codec);
        return format.CodedEnd(tokens) - format.Options.Sinks;
    }

    /// <summary>Bytes by pool after the last flush.</summary>
    public static KvUsage Usage(DeltaKvCodec codec, int tokens)
    {
        const int block = CodedKvFormat.BlockTokens;
        var format = Format(codec);
        var end = format.CodedEnd(tokens);
        var full = format.RawLayerCount == 0 ? 0 : CodedKvFormat.Blocks(tokens, KvBlockLayout.Size);
        var positions = CodedKvFormat.Blocks(tokens, block);
        var codedBlocks = (end - format.Options.Sinks) / block;
        var codes = (end - format.Options.Sinks) / format.CodeTokens;
        var references = CodedKvFormat.Blocks(format.ReferencesBelow(end), block);
        var entries = full + positions + (codes > 0 ? end / format.CodeTokens * format.CodeEntries : 0) + references;
        return CodedKvCache.UsageOf(format, tokens, full, positions - codedBlocks, codes, references, entries, 1);
    }

    /// <summary>Query heads make no difference to what is stored.</summary>
    private static CodedKvFormat Format(DeltaKvCodec codec) =>
        codec.Format(new AttentionShape(codec.Model.KvHeads, codec.Model.KvHeads, codec.Model.HeadDim), codec.Options);
}
