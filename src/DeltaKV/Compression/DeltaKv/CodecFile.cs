using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Weights;

namespace DeltaKV.Compression.DeltaKv;

/// <summary>Codecs on disk: safetensors, with what is not a matrix as JSON in the header's metadata under <c>deltakv_codec</c>.</summary>
/// <remarks>
/// Tensors, for a coded layer i and its group g: <c>layers.i.mean</c> fp32 <c>[width]</c>, <c>layers.i.groups.g.down</c> and <c>.up</c> fp16
/// <c>[dimensions, length]</c>; where the encoder has a hidden layer, its fp16 weight <c>layers.i.groups.g.hidden.weight [rows, length]</c> and fp32 <c>.bias</c>, and
/// down is <c>[dimensions, features]</c>; where the decoder has one, <c>layers.i.groups.g.decoder.weight [rows, dimensions]</c> and <c>.bias</c>, and up is <c>[features, length]</c>; where decoding adds a bias, <c>layers.i.offset</c> fp32. Matrices are stored as the kernels hold them, so saving loses nothing.
/// </remarks>
internal static class CodecFile
{
    private const string MetadataKey = "deltakv_codec";
    // Files of the second version say which heads keep no history, have groups that overlap or decoders with a hidden layer; others stay readable for older programs.
    private const int PlainVersion = 1;
    private const int Version = 2;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Writes a codec.</summary>
    public static void Save(DeltaKvCodec codec, string path)
    {
        var writer = new SafetensorsWriter();
        for (var i = 0; i < codec.Layers.Count; i++)
        {
            if (codec.Layers[i].Codec is not { } layer)
                continue;
            writer.Add(Name(i, "mean"), TensorDataType.F32, [layer.Width], Bytes(layer.Mean));
            if (layer.Offset is { } offset)
                writer.Add(Name(i, "offset"), TensorDataType.F32, [layer.Width], Bytes(offset));
            for (var g = 0; g < layer.Groups.Length; g++)
            {
                var group = layer.Groups[g];
                writer.Add(Name(i, $"groups.{g}.down"), TensorDataType.F16, [group.Dimensions, group.Inputs], Halves(group.Down));
                writer.Add(Name(i, $"groups.{g}.up"), TensorDataType.F16, [group.Terms, group.Length], Halves(group.Up));
                Add(writer, Name(i, $"groups.{g}.hidden"), group.Features, group.Length);
                Add(writer, Name(i, $"groups.{g}.decoder"), group.Decoder, group.Dimensions);
            }
        }

        writer.Metadata[MetadataKey] = JsonSerializer.Serialize(Header.Of(codec), Json);
        writer.Save(path);
    }

    /// <summary>Reads a codec and checks that it hangs together; whether it fits a model is <see cref="DeltaKvCodec.RequireModel"/>'s question.</summary>
    /// <exception cref="CodecMismatchException">The file is no codec, of another version, or its parts contradict each other.</exception>
    public static DeltaKvCodec Load(string path)
    {
        if (!File.Exists(path))
            throw new CodecMismatchException($"{path} cannot be read as a codec: there is no such file.");
        try
        {
            using var file = SafetensorsFile.Open(path);
            if (!file.Header.Metadata.TryGetValue(MetadataKey, out var json))
                throw new CodecMismatchException($"{path} is a safetensors file without '{MetadataKey}' in its metadata; it is not a DeltaKV codec.");
            var header = JsonSerializer.Deserialize<Header>(json, Json)!;
            if (header.Version is < PlainVersion or > Version)
                throw new CodecMismatchException($"{path} has codec version {header.Version}; this program reads versions {PlainVersion} to {Version}. Calibrate again.");
            if (header.Layers.Count != header.Model.Layers)
                throw new CodecMismatchException($"{path} has {header.Layers.Count} layers for a model of {header.Model.Layers}. Calibrate again.");
            return header.ToCodec([.. header.Layers.Select((layer, i) => layer.ToLayer(file, header.Model, i))]);
        }
        catch (Exception e) when (e is JsonException or ModelFormatException or KeyNotFoundException or ArgumentException or NullReferenceException)
        {
            var reason = e is not ModelFormatException file ? e.Message : file.Tensor is null ? file.Reason : $"tensor '{file.Tensor}' {file.Reason}";
            throw new CodecMismatchException($"{path} cannot be read as a codec: {reason.TrimEnd('.')}. Make it again with 'deltakv calibrate', or use a method without a codec, such as 'full' or 'int4'.", e);
        }
    }

    private static void Add(SafetensorsWriter writer, string name, KvFeatures? features, int inputs)
    {
        if (features is null)
            return;
        writer.Add($"{name}.weight", TensorDataType.F16, [features.Rows, inputs], Halves(features.Weight));
        writer.Add($"{name}.bias", TensorDataType.F32, [features.Rows], Bytes(features.Bias));
    }

    private static KvFeatures? Features(SafetensorsFile file, string name, FeatureActivation? activation, int count, int inputs)
    {
        if (activation is null)
            return null;
        var features = new KvFeatures(activation.Value, count, [], []);
        return features with
        {
            Weight = Singles(file, $"{name}.weight", features.Rows * inputs),
            Bias = Singles(file, $"{name}.bias", features.Rows),
        };
    }

    private static string Name(int layer, string part) => string.Create(CultureInfo.InvariantCulture, $"layers.{layer}.{part}");

    private static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    private static byte[] Halves(float[] values) => MemoryMarshal.AsBytes(Array.ConvertAll(values, v => (Half)v).AsSpan()).ToArray();

    private static float[] Singles(SafetensorsFile file, string name, int count)
    {
        var tensor = file.Tensors[name];
        var values = tensor.Type == TensorDataType.F32
            ? file.Values<float>(tensor).ToArray()
            : Array.ConvertAll(file.Values<Half>(tensor).ToArray(), v => (float)v);
        return values.Length == count ? values : throw new ArgumentException($"{name} has {values.Length} elements, {count} are needed.");
    }

    private sealed record Header(
        int Version, ModelFingerprint Model, CodedKvOptions Options, string Report, IReadOnlyList<LayerHeader> Layers)
    {
        public static Header Of(DeltaKvCodec codec) => new(
            codec.Layers.Any(layer => layer.Codec is { } linear && (linear.HasHiddenDecoder || linear.WindowHeads != 0 || linear.Groups.Sum(group => group.Length) != linear.Width)) ? CodecFile.Version : PlainVersion, codec.Model, codec.Options, codec.Report, [.. codec.Layers.Select(LayerHeader.Of)]);

        public DeltaKvCodec ToCodec(IReadOnlyList<CodecLayer> layers) => new()
        {
            Model = Model, Layers = layers, Options = Options, Report = Report,
        };
    }

    private sealed record LayerHeader(
        LayerTreatment Treatment, bool Observes, int Neighbours, CodeScales Scales, IReadOnlyList<GroupHeader> Groups, IReadOnlyList<int>? WindowHeads = null)
    {
        public static LayerHeader Of(CodecLayer layer) => new(
            layer.Treatment, layer.Observes, layer.Codec?.Neighbours ?? 0, layer.Codec?.Scales ?? default,
            [.. layer.Codec?.Groups.Select(g => new GroupHeader(
                g.Start, g.Length, [.. g.Chunks.Select(c => (int)c)], g.Features?.Activation, g.Features?.Count ?? 0, g.Decoder?.Activation, g.Decoder?.Count ?? 0)) ?? []],
            layer.Codec is { WindowHeads: not 0 } codec ? [.. Enumerable.Range(0, codec.KeyHeads).Where(head => !codec.KeepsHistory(head))] : null);

        public CodecLayer ToLayer(SafetensorsFile file, ModelFingerprint model, int index)
        {
            if (Treatment != LayerTreatment.Coded)
                return new CodecLayer(Treatment, null, Observes);
            var codec = new LinearCodec
            {
                KeyHeads = model.KvHeads,
                HeadDim = model.HeadDim,
                Neighbours = Neighbours,
                Scales = Scales,
                Mean = Singles(file, Name(index, "mean"), 2 * model.KvHeads * model.HeadDim),
                Offset = file.Tensors.ContainsKey(Name(index, "offset")) ? Singles(file, Name(index, "offset"), 2 * model.KvHeads * model.HeadDim) : null,
                Groups = [.. Groups.Select((g, i) => g.ToGroup(file, index, i))],
                WindowHeads = Mask(model.KvHeads, index),
            };
            codec.Validate();
            return new CodecLayer(Treatment, codec, Observes);
        }

        private ulong Mask(int heads, int layer)
        {
            if (WindowHeads?.FirstOrDefault(head => head < 0 || head >= heads, -1) is >= 0 and var other)
                throw new ArgumentException($"Layer {layer} says that head {other} keeps no history; there are {heads} key/value heads.");
            return WindowHeads?.Aggregate(0UL, (mask, head) => mask | (1UL << head)) ?? 0;
        }
    }

    private sealed record GroupHeader(
        int Start, int Length, int[] Bits, FeatureActivation? Activation = null, int Features = 0, FeatureActivation? DecoderActivation = null, int DecoderFeatures = 0)
    {
        public CodeGroup ToGroup(SafetensorsFile file, int layer, int index)
        {
            var group = new CodeGroup(Start, Length, [.. Bits.Select(b => (ChunkWidth)b)], [], []);
            group = group with
            {
                Features = CodecFile.Features(file, Name(layer, $"groups.{index}.hidden"), Activation, Features, Length),
                Decoder = CodecFile.Features(file, Name(layer, $"groups.{index}.decoder"), DecoderActivation, DecoderFeatures, group.Dimensions),
            };
            return group with
            {
                Down = Singles(file, Name(layer, $"groups.{index}.down"), group.Dimensions * group.Inputs),
                Up = Singles(file, Name(layer, $"groups.{index}.up"), group.Terms * Length),
            };
        }
    }
}
