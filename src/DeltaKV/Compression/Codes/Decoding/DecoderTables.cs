using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>The decoders with a hidden layer of all compressed layers, on the device.</summary>
internal sealed class DecoderTables : IDisposable
{
    private readonly DeviceBuffers buffers;
    private readonly DecoderGroup[][] layers;

    internal DecoderTables(Accelerator accelerator, IReadOnlyList<LinearCodec> codecs)
    {
        buffers = new DeviceBuffers(accelerator);
        layers = [.. codecs.Select(codec => codec.HasHiddenDecoder ? Groups(codec) : [])];
    }

    /// <summary>The groups of a layer; none: it decodes linearly.</summary>
    internal IReadOnlyList<DecoderGroup> Layer(int layer) => layers[layer];

    /// <summary>Dimensions of all groups of a layer.</summary>
    internal static int DimensionsOf(LinearCodec codec) => codec.Groups.Sum(group => group.Dimensions);

    /// <summary>Features of all decoders of a layer.</summary>
    internal static int FeaturesOf(LinearCodec codec) => codec.Groups.Sum(group => group.Decoder?.Count ?? 0);

    /// <summary>Bytes of a layer's matrices.</summary>
    internal static long Bytes(LinearCodec codec) => codec.Groups.Sum(group => group.Decoder is { } decoder
        ? (sizeof(ushort) * (((long)decoder.Rows * group.Dimensions) + ((long)decoder.Count * group.Length))) + (sizeof(float) * (long)decoder.Rows)
        : 0);

    public void Dispose() => buffers.Dispose();

    private DecoderGroup[] Groups(LinearCodec codec)
    {
        var groups = new List<DecoderGroup>();
        foreach (var group in codec.Groups)
        {
            var decoder = group.Decoder!;
            groups.Add(new DecoderGroup(
                group.Start / codec.HeadDim,
                group.Start,
                group.Length,
                groups.Sum(before => before.Dimensions),
                group.Dimensions,
                decoder.Activation,
                groups.Sum(before => before.Features),
                decoder.Count,
                buffers.Upload<UInt4>(CodeFragments.Eights(decoder.Weight)),
                buffers.Upload<float>(decoder.Bias),
                buffers.Upload<UInt4>(CodeFragments.Eights(CodeFragments.Transposed(group.Up, decoder.Count, group.Length)))));
        }

        return [.. groups];
    }
}
