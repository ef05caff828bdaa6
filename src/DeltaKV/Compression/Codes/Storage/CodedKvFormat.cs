using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Kivi;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>Sizes of everything a coded cache stores, from its layers and codecs.</summary>
internal sealed class CodedKvFormat
{
    /// <summary>Tokens of a raw block of compressed layers and of a block of records; references of a block of references.</summary>
    internal const int BlockTokens = 16;

    /// <summary>References that ids of 16 bits tell apart.</summary>
    internal const int ReferenceIds = 1 << 16;

    /// <param name="shape">The heads.</param>
    /// <param name="codecs">One per layer; null for a layer that has none.</param>
    /// <param name="options">What stays raw.</param>
    /// <param name="recomputesFirstLayer">The first layer's history comes from a table of tokens; its codec stores nothing.</param>
    /// <param name="observers">Layers that choose the tokens that coded layers after them read; needs a budget in the options.</param>
    /// <param name="kivi">One per layer; null for a layer that is not quantised so. A layer without this and without a codec stays raw.</param>
    internal CodedKvFormat(
        AttentionShape shape,
        IReadOnlyList<LinearCodec?> codecs,
        CodedKvOptions options,
        bool recomputesFirstLayer = false,
        IEnumerable<int>? observers = null,
        IReadOnlyList<KiviCode?>? kivi = null)
    {
        Observers = options.Selection.Selects || options.PrefillTokens > 0 ? [.. observers ?? []] : [];
        shape.Validate();
        (Shape, Options, RecomputesFirstLayer) = (shape, options, recomputesFirstLayer);
        if (recomputesFirstLayer && (codecs[0] is not { ChunkCount: 0, Neighbours: 0 }))
            throw new ArgumentException("A recomputed first layer has a codec without chunks and references.", nameof(codecs));
        Codecs = [.. codecs.OfType<LinearCodec>()];
        foreach (var codec in Codecs)
        {
            if (codec.KeyHeads != shape.KeyHeads || codec.HeadDim != shape.HeadDim)
            {
                throw new ArgumentException(
                    $"The codec is for {codec.KeyHeads} key heads of {codec.HeadDim}, the model has {shape.KeyHeads} of {shape.HeadDim}.", nameof(codecs));
            }
        }

        if (HasHiddenDecoders && options.SelectsPerHead)
            throw new NotSupportedException("heads=each needs linear decoders: one with a hidden layer makes a token's rows of all heads at once. Use heads=shared.");
        kivi ??= new KiviCode?[codecs.Count];
        if (codecs.Zip(kivi).Any(layer => layer is { First: not null, Second: not null }))
            throw new ArgumentException("A layer has a linear codec or is quantised as in KIVI, not both.", nameof(kivi));
        Kivi = [.. kivi.OfType<KiviCode>()];
        if (HasKivi && shape.HeadDim is not (64 or 128))
            throw new NotSupportedException($"KIVI needs heads of 64 or 128 elements, not {shape.HeadDim}.");
        if (options.Sinks % CodeTokens != 0)
            throw new ArgumentException($"{options.Sinks} sinks: with layers quantised in blocks of {CodeTokens} tokens a multiple of that is needed.", nameof(options));
        var coded = 0;
        CodedLayer = [.. codecs.Select(codec => codec is null ? -1 : coded++)];
        var quantised = 0;
        KiviLayer = [.. kivi.Select(code => code is null ? -1 : quantised++)];
        WindowLayer = [.. CodedLayer.Zip(KiviLayer, (codec, code) => codec >= 0 ? codec : code >= 0 ? Codecs.Count + code : -1)];
        var raw = 0;
        RawLayer = [.. WindowLayer.Select(window => window < 0 ? raw++ : -1)];
        ReferenceLayers = Codecs.Count(codec => codec.Neighbours > 0);
        if (Observers.FirstOrDefault(observer => CodedLayer[observer] >= 0 && Codecs[CodedLayer[observer]].HistoryHeads == 0, -1) is >= 0 and var blind)
            throw new ArgumentException($"Layer {blind} is to choose tokens of history for others, and none of its heads keeps any. Name another observer.", nameof(observers));
        if (HasReferences && options.ReferenceBits != 16 && shape.HeadDim is not (64 or 128))
            throw new NotSupportedException($"References of {options.ReferenceBits} bits need heads of 64 or 128 elements, not {shape.HeadDim}.");
        ReferenceWords = ReferenceRow.WordsOf(options.ReferenceBits, 2 * shape.KeyHeads, shape.HeadDim);
    }

    internal AttentionShape Shape { get; }

    internal CodedKvOptions Options { get; }

    /// <summary>Layers that select tokens.</summary>
    internal IReadOnlyCollection<int> Observers { get; }

    /// <summary>Whether any of them stays raw.</summary>
    internal bool ObservesRawLayers => Observers.Any(layer => RawLayer[layer] >= 0);

    /// <summary>Whether the first layer comes from a table of tokens.</summary>
    internal bool RecomputesFirstLayer { get; }

    /// <summary>Codecs of the layers that have a linear one.</summary>
    internal IReadOnlyList<LinearCodec> Codecs { get; }

    /// <summary>Number among the layers with a linear codec, by layer; -1: none.</summary>
    internal IReadOnlyList<int> CodedLayer { get; }

    /// <summary>Codes of the layers quantised as in KIVI.</summary>
    internal IReadOnlyList<KiviCode> Kivi { get; }

    /// <summary>Number among the layers quantised as in KIVI, by layer; -1: none.</summary>
    internal IReadOnlyList<int> KiviLayer { get; }

    /// <summary>Whether any layer is quantised as in KIVI.</summary>
    internal bool HasKivi => Kivi.Count > 0;

    /// <summary>Number among the compressed layers, linear codecs first, by layer; -1: raw.</summary>
    internal IReadOnlyList<int> WindowLayer { get; }

    /// <summary>Compressed layers of either kind.</summary>
    internal int WindowLayerCount => Codecs.Count + Kivi.Count;

    /// <summary>Tokens that are compressed together, a block of the codes pool: KIVI's groups take two blocks of records.</summary>
    internal int CodeTokens => HasKivi ? KiviCode.GroupSize : BlockTokens;

    /// <summary>Number among the raw layers, by layer; -1: compressed.</summary>
    internal IReadOnlyList<int> RawLayer { get; }

    /// <summary>Compressed layers with references.</summary>
    internal int ReferenceLayers { get; }

    internal bool HasReferences => ReferenceLayers > 0;

    /// <summary>Whether references have sketches, for searches of two levels.</summary>
    internal bool HasSketches => HasReferences && Options.TwoLevelFrom > 0;

    /// <summary>Words of a reference's row.</summary>
    internal int ReferenceWords { get; }

    internal int LayerCount => CodedLayer.Count;

    internal int RawLayerCount => LayerCount - WindowLayerCount;

    /// <summary>Bytes of a raw token of one layer.</summary>
    internal int RawTokenBytes => 2 * Shape.KeyHeads * Shape.HeadDim * 2;

    /// <summary>Bytes of a sequence's reconstructed tokens.</summary>
    internal long HotBytes => (long)Options.HotTokens * RawTokenBytes * Enumerable.Range(0, LayerCount).Count(IsHot);

    /// <summary>Bytes of a block of full layers: 64 tokens.</summary>
    internal long FullBlockBytes => (long)KvBlockLayout.Size * RawLayerCount * RawTokenBytes;

    /// <summary>Bytes of a raw block of the compressed layers.</summary>
    internal long WindowBlockBytes => (long)BlockTokens * WindowLayerCount * RawTokenBytes;

    /// <summary>Bytes of a block of codes over all compressed layers, scales, ids and padding included.</summary>
    internal long CodeBlockBytes => RecordBlockBytes + KiviBlockBytes;

    /// <summary>The records of linear codecs in it.</summary>
    internal long RecordBlockBytes => Codecs.Sum(codec => (long)CodeTokens * RecordLayout.Of(codec).Bytes);

    /// <summary>The layers quantised as in KIVI in it.</summary>
    internal long KiviBlockBytes => Kivi.Sum(code => (long)Shape.KeyHeads * code.HeadBytes(Shape.HeadDim));

    /// <summary>Entries of the device's tables for a block of codes: records are found by 16 tokens.</summary>
    internal int CodeEntries => (Codecs.Count > 0 ? CodeTokens / BlockTokens : 0) + (HasKivi ? 1 : 0);

    /// <summary>Bytes of a block of references over all compressed layers, norms and sketches included.</summary>
    internal long ReferenceBlockBytes => (long)BlockTokens * ReferenceLayers * ((ReferenceWords * 4) + sizeof(float) + (HasSketches ? Sketch.Bytes : 0));

    /// <summary>Bytes of a token of history over all layers.</summary>
    internal double TokenBytes => ((double)FullBlockBytes / KvBlockLayout.Size)
        + ((double)CodeBlockBytes / CodeTokens)
        + ((double)ReferenceBlockBytes / (BlockTokens * Options.ReferenceStride))
        + (RecomputesFirstLayer ? sizeof(int) : 0);

    /// <summary>Bytes of hidden layers of encoders and of the room to apply them; large ones must be planned for.</summary>
    internal long FeatureBytes => Codecs.All(codec => codec.FeatureCount == 0)
        ? 0
        : Compressor.FeatureWorkspaceBytes + (sizeof(ushort) * Codecs.Sum(codec => codec.Groups.Sum(group =>
            ((long)group.Dimensions * group.Inputs) + ((group.Features?.Rows ?? 0L) * group.Length))));

    /// <summary>Key/value heads of a layer that keep no history, a bit each.</summary>
    internal ulong WindowHeads(int layer) => CodedLayer[layer] < 0 ? 0 : Codecs[CodedLayer[layer]].WindowHeads;

    /// <summary>Whether any layer's decoder has a hidden layer.</summary>
    internal bool HasHiddenDecoders => Codecs.Any(codec => codec.HasHiddenDecoder);

    /// <summary>Whether a layer is reconstructed before attention reads it, because its decoder has a hidden layer.</summary>
    internal bool IsReconstructed(int layer) => CodedLayer[layer] >= 0 && Codecs[CodedLayer[layer]].HasHiddenDecoder;

    /// <summary>Whether a layer keeps tokens reconstructed: it has a codec and reads what an observation layer selects.</summary>
    internal bool IsHot(int layer) => Options is { HotTokens: > 0, Selection.Selects: true }
        && CodedLayer[layer] >= 0 && Codecs[CodedLayer[layer]].HistoryHeads > 0 && !Observers.Contains(layer) && Observers.Any(observer => observer < layer);

    /// <summary>References of the coded positions below a position.</summary>
    internal int ReferencesBelow(int position) => HasReferences
        ? Math.Max(0, (position - Options.Sinks + Options.ReferenceStride - 1) / Options.ReferenceStride)
        : 0;

    /// <summary>Where the coded part of a sequence of that length ends once everything old enough is compressed.</summary>
    internal int CodedEnd(int length) => Math.Max(Options.Sinks, (length - Options.Recent) / CodeTokens * CodeTokens);

    /// <summary>The most rows of a decode: sequences, or queries of a prompt.</summary>
    internal int DecodeRows(KvLimits limits) => PromptSample.DecodeRows(Options.PrefillTokens, limits.Sequences);

    /// <summary>Refuses sequences of so many tokens that references or the hot set cannot hold them.</summary>
    /// <exception cref="NotSupportedException">What is too much, and what to do.</exception>
    internal void RequireRoom(KvLimits limits)
    {
        if (ReferencesBelow(limits.SequenceTokens) > CodedKvFormat.ReferenceIds)
        {
            throw new NotSupportedException(
                $"A sequence of {limits.SequenceTokens} tokens has {ReferencesBelow(limits.SequenceTokens)} references; ids hold {CodedKvFormat.ReferenceIds}. Use a larger stride.");
        }

        if (HotBytes > 0 && (Options.SelectsPerHead || Options.Selection.MaxTokens(limits.SequenceTokens) > Options.HotTokens))
        {
            throw new NotSupportedException(
                $"A hot set of {Options.HotTokens} tokens needs one selection for all heads and no more tokens than that; up to {Options.Selection.MaxTokens(limits.SequenceTokens)} are selected"
                + (Options.SelectsPerHead ? " by each head. Use heads=shared." : ". Use a larger hot set or a smaller budget."));
        }
    }

    internal static int Blocks(int tokens, int size) => (tokens + size - 1) / size;
}
