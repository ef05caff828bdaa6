using System.Collections.Immutable;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Published;
using DeltaKV.Compression.Eviction;
using DeltaKV.Compression.Kivi;
using DeltaKV.Compression.OmniKv;
using DeltaKV.Compression.Quest;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Compression;

/// <summary>The methods by name.</summary>
internal static class KvMethods
{
    /// <summary>The uncompressed cache, which is no method of this registry.</summary>
    internal const string Full = "full";

    /// <summary>DeltaKV where a codec lies beside the weights, the uncompressed cache elsewhere.</summary>
    internal const string Auto = "auto";

    /// <summary>A codec beside a model's weights, used when none is named.</summary>
    internal const string CodecFileName = "codec.safetensors";

    /// <summary>All names, of which two may be joined: see <see cref="KvComposition"/>.</summary>
    internal static IReadOnlyCollection<string> Names =>
        [Auto, Full, "deltakv", "identity", "int8", "int4", "int4-2", "int3", "int2", "kivi-8", "kivi-4", "kivi-2", "quest", "omnikv", .. EvictionPolicies.Names];

    /// <summary>Finds a method and prepares it for a model; null for the uncompressed cache.</summary>
    /// <exception cref="ArgumentException">There is no such method or setting.</exception>
    /// <exception cref="CodecMismatchException">The codec is for another model, or is none.</exception>
    /// <exception cref="NotSupportedException">It needs a codec, and there are no weights it could be of; or it does not fit the model's heads.</exception>
    internal static IKvMethod? Resolve(string text, ModelConfig config, ModelWeights? weights)
    {
        if (KvComposition.Split(text) is { Length: > 1 } parts)
            return KvComposition.Resolve(text, parts, config, part => Single(part, config, weights));
        var method = Single(text, config, weights);
        if (method is CodedKvMethod { Format: { Observers.Count: 0 } format } && (format.Options.Selection.Selects || format.Options.PrefillTokens > 0))
        {
            throw new ArgumentException(
                $"'{text}' is to read a selection of its tokens, and has no observation layers to choose them. Name some, as in '{KvMethodSpec.Parse(text).Name}:observers=2+5,top=512', or leave 'top', 'share' and 'prefill' out.");
        }

        return method;
    }

    private static IKvMethod? Single(string text, ModelConfig config, ModelWeights? weights)
    {
        var spec = KvMethodSpec.Parse(text);
        switch (spec.Name)
        {
            case Auto:
                spec.Allow();
                return weights is not null && File.Exists(Path.Combine(weights.Directory, CodecFileName)) ? Single("deltakv", config, weights) : null;
            case Full:
                spec.Allow();
                return null;
            case "identity":
                return Uniform(spec, config, IdentityCodec.Create(config.KeyValueHeadCount, config.HeadDim));
            case "int8":
                return Rotated(spec, config, ChunkWidth.Bits8, ChunkWidth.Bits8);
            case "int4":
                return Rotated(spec, config, ChunkWidth.Bits4, ChunkWidth.Bits4);
            case "int4-2":
                return Rotated(spec, config, ChunkWidth.Bits4, ChunkWidth.Bits2);
            case "int3" when config.HeadDim % CodeGroup.DimensionsOf(ChunkWidth.Bits3) != 0:
                throw new NotSupportedException($"The method 'int3' keeps numbers in groups of 64 and would save nothing beside 'int4' on heads of {config.HeadDim}; use 'int4'.");
            case "int3":
                return Rotated(spec, config, ChunkWidth.Bits3, ChunkWidth.Bits3);
            case "int2":
                return Rotated(spec, config, ChunkWidth.Bits2, ChunkWidth.Bits2);
            case "kivi-8" or "kivi8":
                return Kivi(spec, config, 8);
            case "kivi-4" or "kivi4":
                return Kivi(spec, config, 4);
            case "kivi-2" or "kivi2":
                return Kivi(spec, config, 2);
            case "quest":
                return QuestKvMethod.Create(spec, config);
            case "omnikv":
                return OmniKvMethod.Create(spec, config, weights?.Directory);
            case "deltakv":
                return DeltaKv(spec, config, weights ?? throw new NotSupportedException("The method 'deltakv' needs a model to which its codec belongs; a shape with random weights has none. Use a method without a codec, such as 'int4'."));
            case var name when EvictionPolicies.Names.Contains(name):
                return new EvictionMethod(config, EvictionPolicies.Create(spec, config, weights));
            default:
                throw new ArgumentException($"There is no key/value method '{spec.Name}'; there are: {string.Join(", ", Names)}, and what deletes tokens with what codes them, as 'snapkv+kivi-4'.");
        }
    }

    private static CodedKvMethod Rotated(KvMethodSpec spec, ModelConfig config, ChunkWidth keys, ChunkWidth values) =>
        Uniform(spec, config, HadamardCodec.Create(config.KeyValueHeadCount, config.HeadDim, keys, values, spec.Text("scales") switch
        {
            null or "chunk" => CodeScales.PerChunk,
            "token" => CodeScales.PerToken,
            var other => throw new ArgumentException($"The setting 'scales' of '{spec.Name}' is '{other}', expected chunk or token."),
        }));

    /// <summary>The same codec for every layer.</summary>
    private static CodedKvMethod Uniform(KvMethodSpec spec, ModelConfig config, LinearCodec codec)
    {
        spec.Allow("recent", "sinks", "neighbours", "stride", "bits", "full", "observers", "fulllayers", "top", "share", "heads", "prefill", "hot", "search", "scales", "first", "table");
        codec = codec with { Neighbours = spec.Count("neighbours", 0, 4) };
        var full = spec.Layers("full", config.LayerCount);
        var recomputes = RecomputesFirst(spec, full);
        var table = Table(spec, config);
        var layers = Enumerable.Range(0, config.LayerCount).Select(layer =>
            full.Contains(layer) ? null
            : layer == 0 && recomputes ? FirstLayerTable.Codec(config.KeyValueHeadCount, config.HeadDim)
            : table is null ? codec : HeadTable.Apply(table.Layers[layer], codec)).ToImmutableArray();
        var fullLayers = FullLayers(spec, null);
        var kivi = layers.Select(layer => layer is null ? fullLayers : null).ToImmutableArray();
        return new CodedKvMethod(new CodedKvFormat(
            Shape(config), layers, Options(spec, config, new CodedKvOptions(), kivi), recomputes, spec.Layers("observers", config.LayerCount), kivi: kivi));
    }

    /// <summary>What heads keep: a table as text, or that of a codec. Layers that are full or recomputed do not ask it.</summary>
    private static HeadTable? Table(KvMethodSpec spec, ModelConfig config)
    {
        if (spec.Text("table") is not { } text)
            return null;
        var table = HeadTable.Read(text);
        table.RequireModel(config.LayerCount, config.KeyValueHeadCount);
        return table;
    }

    private static bool RecomputesFirst(KvMethodSpec spec, int[] full) => spec.Text("first") switch
    {
        null or "coded" => false,
        "recomputed" => !full.Contains(0),
        var other => throw new ArgumentException($"The setting 'first' of '{spec.Name}' is '{other}', expected coded or recomputed."),
    };

    /// <summary>Every layer quantised as KIVI does.</summary>
    private static CodedKvMethod Kivi(KvMethodSpec spec, ModelConfig config, int bits)
    {
        spec.Allow("recent", "sinks", "keys", "values", "hadamard", "first", "full", "observers", "top", "share", "heads", "prefill");
        var isRotated = spec.Text("hadamard") switch
        {
            null or "false" => false,
            "true" => true,
            var other => throw new ArgumentException($"The setting 'hadamard' of '{spec.Name}' is '{other}', expected true or false."),
        };
        var code = new KiviCode(spec.Number("keys", bits), spec.Number("values", bits), isRotated);
        var full = spec.Layers("full", config.LayerCount);
        var recomputes = RecomputesFirst(spec, full);
        var codecs = new LinearCodec?[config.LayerCount];
        if (recomputes)
            codecs[0] = FirstLayerTable.Codec(config.KeyValueHeadCount, config.HeadDim);
        var kivi = codecs.Select((codec, layer) => codec is not null || full.Contains(layer) ? null : code).ToImmutableArray();
        return new CodedKvMethod(new CodedKvFormat(
            Shape(config), codecs, Options(spec, config, new CodedKvOptions { Sinks = 0 }, kivi), recomputes, spec.Layers("observers", config.LayerCount), kivi: kivi));
    }

    private static CodedKvMethod DeltaKv(KvMethodSpec spec, ModelConfig config, ModelWeights weights)
    {
        var path = spec.Text("codec") ?? Path.Combine(weights.Directory, CodecFileName);
        if (Directory.Exists(path))
            return Published(spec, config, weights, path);
        spec.Allow("codec", "recent", "sinks", "stride", "bits", "observers", "fulllayers", "top", "share", "heads", "prefill", "hot", "search");
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(
                $"The method 'deltakv' needs a codec and {path} does not exist. Make one with 'deltakv calibrate', or use the method 'int4', which needs none.", path);
        }

        var codec = CodecFile.Load(path);
        codec.RequireModel(ModelFingerprint.Of(config, weights));
        return DeltaKv(spec, config, codec);
    }

    /// <summary>A compressor as the paper's authors publish them.</summary>
    private static CodedKvMethod Published(KvMethodSpec spec, ModelConfig config, ModelWeights weights, string directory)
    {
        spec.Allow("codec", "recent", "sinks", "stride", "bits", "observers", "top", "share", "heads", "prefill", "hot", "search", "full", "fulllayers", "neighbours", "latent-bits", "scales");
        var choices = new PublishedChoices
        {
            FullLayers = spec.Text("full") is null ? null : spec.Layers("full", config.LayerCount),
            Neighbours = spec.Text("neighbours") is null ? null : spec.Count("neighbours", 0, 4),
            LatentBits = spec.Number("latent-bits", 4) switch
            {
                4 => ChunkWidth.Bits4,
                8 => ChunkWidth.Bits8,
                16 => ChunkWidth.Bits16,
                var other => throw new ArgumentException($"The setting 'latent-bits' is {other}, expected 4, 8 or 16."),
            },
            Scales = spec.Text("scales")?.ToLowerInvariant() switch
            {
                null => null,
                "token" => CodeScales.PerToken,
                "chunk" => CodeScales.PerChunk,
                var other => throw new ArgumentException($"The setting 'scales' is '{other}', expected 'token' or 'chunk'."),
            },
        };
        return DeltaKv(spec, config, PublishedCompressor.Load(directory, config, ModelFingerprint.Of(config, weights), choices));
    }

    /// <summary>The method of a codec that is at hand.</summary>
    internal static CodedKvMethod DeltaKv(KvMethodSpec spec, ModelConfig config, DeltaKvCodec codec)
    {
        KiviCode?[] kivi = [.. codec.Layers.Select(layer => layer.Treatment is LayerTreatment.Coded or LayerTreatment.Recomputed ? null : FullLayers(spec, layer.Kivi))];
        return new CodedKvMethod(codec.Format(
            Shape(config), Options(spec, config, codec.Options, kivi), spec.Text("observers") is null ? null : spec.Layers("observers", config.LayerCount), kivi));
    }

    /// <summary>How layers without a codec are kept: as the setting says, or else as the codec's file does. Null: raw.</summary>
    private static KiviCode? FullLayers(KvMethodSpec spec, KiviCode? otherwise) => spec.Text("fulllayers") switch
    {
        null => otherwise,
        "raw" => null,
        "kivi4" => new KiviCode(4, 4),
        "kivi8" => new KiviCode(8, 8),
        var other => throw new ArgumentException($"The setting 'fulllayers' of '{spec.Name}' is '{other}', expected raw, kivi4 or kivi8."),
    };

    private static CodedKvOptions Options(KvMethodSpec spec, ModelConfig config, CodedKvOptions defaults, IEnumerable<KiviCode?> kivi) => new()
    {
        Recent = RoundUp(spec.Count("recent", defaults.Recent), CodedKvFormat.BlockTokens),
        Sinks = RoundUp(spec.Count("sinks", defaults.Sinks), kivi.Any(code => code is not null) ? KiviCode.GroupSize : CodedKvFormat.BlockTokens),
        ReferenceStride = spec.Number("stride", defaults.ReferenceStride),
        ReferenceBits = spec.Number("bits", defaults.ReferenceBits),
        Selection = new SelectionBudget(spec.Count("top", 0), spec.SelectedShare()),
        SelectsPerHead = spec.PerHead(),
        PrefillTokens = spec.PrefillTokens(),
        HotTokens = RoundUp(spec.Count("hot", 0), CodedKvFormat.BlockTokens),
        TwoLevelFrom = TwoLevelFrom(spec, config, spec.Number("stride", defaults.ReferenceStride)),
    };

    /// <summary>References from which on they are searched in two levels; a model too short for so many needs no sketches.</summary>
    private static int TwoLevelFrom(KvMethodSpec spec, ModelConfig config, int stride)
    {
        var from = spec.Text("search") == "exact" ? 0 : spec.Count("search", 2048);
        return config.MaxPositions / stride > from ? from : 0;
    }

    private static int RoundUp(int tokens, int size) => CodedKvFormat.Blocks(tokens, size) * size;

    private static AttentionShape Shape(ModelConfig config) => new(config.HeadCount, config.KeyValueHeadCount, config.HeadDim);
}
