using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Weights;

namespace DeltaKV.Compression.DeltaKv.Published;

/// <summary>Reads the compressors that DeltaKV's authors publish: a directory with <c>config.json</c> and safetensors, one network down and one up per layer.</summary>
/// <remarks>
/// Encoders and decoders may be linear, GELU or SwiGLU networks, over the whole kv row or over keys and values apart. Biases of an encoder's last layer
/// cancel in <c>f(kv) - f(r)</c>; that of a decoder's last layer becomes the codec's offset. The checkpoint does not say of which weights it is: what can be checked are shapes.
/// Source: DeltaKV (arXiv 2602.08005) and the engine released with it.
/// </remarks>
internal static class PublishedCompressor
{
    /// <summary>Reads a directory for a model.</summary>
    /// <exception cref="CodecMismatchException">It is for another shape of model, or a layer is missing.</exception>
    /// <exception cref="ModelFormatException">A file is damaged or tensors contradict each other.</exception>
    /// <exception cref="NotSupportedException">A network is of a kind that cannot be read in place.</exception>
    internal static DeltaKvCodec Load(string directory, ModelConfig model, ModelFingerprint fingerprint, PublishedChoices choices)
    {
        if (model.HasQkNorm)
        {
            throw new NotSupportedException(
                $"{directory}: published compressors of models with a norm on keys code keys before that norm; this engine caches them after it. Calibrate a codec with 'deltakv calibrate'.");
        }

        var config = CompressorConfig.Load(directory);
        var full = new SortedSet<int>(choices.FullLayers ?? config.FullLayers ?? []) { 0 };
        if (full.Max >= model.LayerCount)
            throw new CodecMismatchException($"{directory} keeps layer {full.Max} full; the model has layers 0 to {model.LayerCount - 1}.");
        using var tensors = CompressorTensors.Open(directory);
        var reader = new LayerReader(tensors, config, model, choices);
        return new DeltaKvCodec
        {
            Model = fingerprint,
            Options = new CodedKvOptions { Recent = 128, ReferenceStride = config.Stride ?? 10 },
            // A full layer before one that is not chooses the tokens that the layers after it read.
            Layers = [.. Enumerable.Range(0, model.LayerCount).Select(layer => full.Contains(layer)
                ? new CodecLayer(LayerTreatment.Raw, null, Observes: layer + 1 < model.LayerCount && !full.Contains(layer + 1))
                : new CodecLayer(LayerTreatment.Coded, reader.Read(layer, full)))],
            Report = $"published compressor {Path.GetFileName(Path.TrimEndingDirectorySeparator(directory))}, full layers {string.Join(", ", full)}",
        };
    }

    private sealed class LayerReader(CompressorTensors tensors, CompressorConfig config, ModelConfig model, PublishedChoices choices)
    {
        internal LinearCodec Read(int layer, SortedSet<int> full)
        {
            var split = tensors.Has(layer, "k_compress_down");
            if (!split && !tensors.Has(layer, "compress_down"))
            {
                throw new CodecMismatchException(
                    $"{tensors.Directory} has no compressor for layer {layer}; full layers are {string.Join(", ", full)} of {model.LayerCount}. Name those to keep with full=0+1+....");
            }

            var width = model.KeyValueWidth;
            var offset = new float[width];
            CodeGroup[] groups = split
                ? [Group(layer, "k_", 0, width / 2, offset), Group(layer, "v_", width / 2, width / 2, offset)]
                : [Group(layer, "", 0, width, offset)];
            var codec = new LinearCodec
            {
                KeyHeads = model.KeyValueHeadCount,
                HeadDim = model.HeadDim,
                Neighbours = choices.Neighbours ?? config.Neighbours ?? 4,
                Scales = choices.Scales ?? (split ? CodeScales.PerChunk : CodeScales.PerToken),
                Mean = new float[width],
                Offset = Array.TrueForAll(offset, value => value == 0) ? null : offset,
                Groups = [.. groups],
            };
            codec.Validate();
            return codec;
        }

        private CodeGroup Group(int layer, string prefix, int start, int length, float[] offset)
        {
            var (down, up) = ($"{prefix}compress_down", $"{prefix}compress_up");
            var kind = Kind(layer, down, "compressor_down_type", config.Down);
            var decoderKind = Kind(layer, up, "compressor_up_type", config.Up);
            var (features, last) = kind == CompressorKind.Linear
                ? (null, tensors.Matrix(layer, down, "weight", length, Inputs(length)))
                : Network(layer, down, kind, length, Inputs(length), config.DownIntermediate);
            if (config.Latents is { } latents && latents != last.Rows)
                throw new CodecMismatchException($"{tensors.Directory}: {down} of layer {layer} makes {last.Rows} latents, config.json says {latents}.");
            var fromLatents = $"as many as {down} makes latents";
            var (decoder, decode) = decoderKind == CompressorKind.Linear
                ? (null, tensors.Matrix(layer, up, "weight", last.Rows, fromLatents))
                : Network(layer, up, decoderKind, last.Rows, fromLatents, config.UpIntermediate);
            if (decode.Rows != length)
                throw new CodecMismatchException($"{tensors.Directory}: {up} of layer {layer} makes rows of {decode.Rows}; {Inputs(length)}.");
            tensors.Bias(layer, up, $"{LastOf(decoderKind)}bias", length).CopyTo(offset, start);

            var perChunk = CodeGroup.DimensionsOf(choices.LatentBits);
            var chunks = (last.Rows + perChunk - 1) / perChunk;
            // 16-bit chunks come in pairs.
            chunks += choices.LatentBits == ChunkWidth.Bits16 ? chunks & 1 : 0;
            var dimensions = chunks * perChunk;
            return new CodeGroup(
                start, length, [.. Enumerable.Repeat(choices.LatentBits, chunks)],
                last.PaddedTo(dimensions, features?.Count ?? length).Values, decode.Transposed().PaddedTo(decoder?.Count ?? dimensions, length).Values)
            {
                Features = features,
                // Dimensions that only fill a chunk are worth nothing to the decoder.
                Decoder = decoder is null ? null : decoder with { Weight = new PublishedMatrix(decoder.Rows, last.Rows, decoder.Weight).PaddedTo(decoder.Rows, dimensions).Values },
            };
        }

        private CompressorKind Kind(int layer, string network, string field, CompressorKind? said)
        {
            var found = tensors.KindOf(layer, network)
                ?? throw new CodecMismatchException($"{tensors.Directory} has no {network} for layer {layer}.");
            return said is null || said == found
                ? found
                : throw new CodecMismatchException($"{tensors.Directory}: {network} of layer {layer} is a {found} network by its tensors, '{field}' says {said}.");
        }

        /// <summary>Where the last layer of a network stands among its tensors.</summary>
        private static string LastOf(CompressorKind kind) => kind switch
        {
            CompressorKind.SwiGlu => "w3.",
            CompressorKind.Gelu => "2.",
            _ => "",
        };

        private (KvFeatures Features, PublishedMatrix Last) Network(int layer, string network, CompressorKind kind, int length, string inputsAre, int? intermediate)
        {
            var (first, activation) = kind == CompressorKind.SwiGlu ? ("w12", FeatureActivation.SwiGlu) : ("0", FeatureActivation.Gelu);
            var hidden = tensors.Matrix(layer, network, $"{first}.weight", length, inputsAre);
            var bias = tensors.Bias(layer, network, $"{first}.bias", hidden.Rows);
            var halves = activation == FeatureActivation.SwiGlu ? 2 : 1;
            var count = hidden.Rows / halves;
            if (intermediate is { } said && said != count)
                throw new CodecMismatchException($"{tensors.Directory}: {network} of layer {layer} has {count} hidden features, config.json says {said}.");
            var last = tensors.Matrix(layer, network, $"{LastOf(kind)}weight", count, $"as many as {first} makes features");
            var padded = (count + 15) / 16 * 16;
            var weight = new float[halves * padded * length];
            var biases = new float[halves * padded];
            for (var half = 0; half < halves; half++)
            {
                hidden.Values.AsSpan(half * count * length, count * length).CopyTo(weight.AsSpan(half * padded * length));
                bias.AsSpan(half * count, count).CopyTo(biases.AsSpan(half * padded));
            }

            return (new KvFeatures(activation, padded, weight, biases), last.PaddedTo(last.Rows, padded));
        }

        private string Inputs(int length) => length == model.KeyValueWidth
            ? $"keys and values of the model's {model.KeyValueHeadCount} heads of {model.HeadDim} are {length}"
            : $"keys (or values) of the model's {model.KeyValueHeadCount} heads of {model.HeadDim} are {length}";
    }
}
