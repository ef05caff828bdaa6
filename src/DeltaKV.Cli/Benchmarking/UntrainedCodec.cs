using System.Globalization;
using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>
/// The method <c>deltakv</c> for a shape, whose random weights no codec can be calibrated for: matrices of random numbers in the form that calibration gives, so that bytes
/// and times are those of a calibrated one.
/// </summary>
/// <remarks>
/// <c>deltakv:codec=klt,bits=512</c> is a transform with so many bits for a token and layer, a quarter of them for 8-bit dimensions; <c>deltakv:codec=published</c> what
/// DeltaKV's authors released: a quarter of the width in 4 bits, the mean of four references; <c>deltakv:codec=published-mlp</c> the form of their paper, in which encoder and decoder have a hidden layer of twice
/// the width. <c>full=0+1+2</c> lists layers that stay raw (<c>fulllayers=kivi4</c>: quantised), <c>observers=2+8</c> those that
/// select, <c>first=recomputed</c> recomputes the first layer from token ids; the rest are settings of the method.
/// </remarks>
internal static class UntrainedCodec
{
    /// <summary>The method, or null if the text names another one.</summary>
    /// <exception cref="ArgumentException">A setting is wrong.</exception>
    internal static IKvMethod? Resolve(string text, ModelConfig config)
    {
        var spec = KvMethodSpec.Parse(text);
        if (spec.Name != "deltakv")
            return null;
        spec.Allow("codec", "bits", "full", "fulllayers", "observers", "first", "reference-bits", "recent", "sinks", "stride", "top", "share", "hot");
        var full = spec.Layers("full", config.LayerCount);
        var observers = spec.Layers("observers", config.LayerCount);
        var coded = Codec(spec, config);
        var recomputed = spec.Text("first") == "recomputed";
        var codec = new DeltaKvCodec
        {
            Model = new ModelFingerprint(config.Family.ToString(), config.LayerCount, config.KeyValueHeadCount, config.HeadDim, "random"),
            Options = new CodedKvOptions { ReferenceBits = spec.Number("reference-bits", 16) },
            Layers = [.. Enumerable.Range(0, config.LayerCount).Select(layer =>
                layer == 0 && recomputed ? new CodecLayer(LayerTreatment.Recomputed)
                : full.Contains(layer) ? new CodecLayer(LayerTreatment.Raw, null, observers.Contains(layer))
                : new CodecLayer(LayerTreatment.Coded, coded, observers.Contains(layer)))],
        };
        var own = new HashSet<string>(["codec", "bits", "full", "observers", "first", "reference-bits"], StringComparer.OrdinalIgnoreCase);
        var rest = spec.Settings.Where(setting => !own.Contains(setting.Key)).ToDictionary(StringComparer.OrdinalIgnoreCase);
        return KvMethods.DeltaKv(new KvMethodSpec(spec.Name, rest), config, codec);
    }

    private static LinearCodec Codec(KvMethodSpec spec, ModelConfig config)
    {
        var width = config.KeyValueWidth;
        switch (spec.Text("codec") ?? "klt")
        {
            case "klt":
                var bits = spec.Number("bits", 512);
                if (bits < 128 || bits % 128 != 0)
                    throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"A code of {bits} bits: the stored format takes whole chunks of 128 bits."));
                var chunks = bits / 128;
                return Dense(config, [.. Enumerable.Range(0, chunks).Select(i => i < Math.Max(1, chunks / 4) ? ChunkWidth.Bits8 : ChunkWidth.Bits4)], CodeScales.Static, 0);
            case "published":
                return Dense(config, [.. Enumerable.Repeat(ChunkWidth.Bits4, width / 4 / CodeGroup.DimensionsOf(ChunkWidth.Bits4))], CodeScales.PerToken, 4);
            case "published-mlp":
                var linear = Dense(config, [.. Enumerable.Repeat(ChunkWidth.Bits4, width / 4 / CodeGroup.DimensionsOf(ChunkWidth.Bits4))], CodeScales.PerToken, 4);
                return linear with { Groups = [.. linear.Groups.Select(group => Bent(group, 2 * width))] };
            case var other:
                throw new ArgumentException($"There is no untrained codec '{other}'; a shape has: klt, published, published-mlp.");
        }
    }

    private static LinearCodec Dense(ModelConfig config, ChunkWidth[] chunks, CodeScales scales, int neighbours)
    {
        var random = new Random(2);
        var width = config.KeyValueWidth;
        float[] Matrix() => [.. Enumerable.Range(0, chunks.Sum(CodeGroup.DimensionsOf) * width).Select(_ => (random.NextSingle() - 0.5f) / 16f)];
        return new LinearCodec
        {
            KeyHeads = config.KeyValueHeadCount,
            HeadDim = config.HeadDim,
            Mean = new float[width],
            Scales = scales,
            Neighbours = neighbours,
            Groups = [new CodeGroup(0, width, [.. chunks], Matrix(), Matrix())],
        };
    }

    /// <summary>The same with a hidden layer in encoder and decoder.</summary>
    private static CodeGroup Bent(CodeGroup group, int features)
    {
        var random = new Random(3);
        return group with
        {
            Features = new KvFeatures(FeatureActivation.Gelu, features, Matrix(features * group.Length), new float[features]),
            Down = Matrix(features * group.Dimensions),
            Decoder = new KvFeatures(FeatureActivation.Gelu, features, Matrix(features * group.Dimensions), new float[features]),
            Up = Matrix(features * group.Length),
        };

        float[] Matrix(int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) / 16f)];
    }
}
