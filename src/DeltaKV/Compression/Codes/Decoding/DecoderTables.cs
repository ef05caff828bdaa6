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
                buffers.Upload<UInt4>(Eights(decoder.Weight)),
                buffers.Upload<float>(decoder.Bias),
                buffers.Upload<UInt4>(Eights(Transposed(group.Up, decoder.Count, group.Length)))));
        }

        return [.. groups];
    }

    private static float[] Transposed(float[] values, int rows, int columns)
    {
        var result = new float[values.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                result[(column * rows) + row] = values[(row * columns) + column];
        }

        return result;
    }

    private static UInt4[] Eights(float[] values)
    {
        var result = new UInt4[values.Length / 8];
        for (var i = 0; i < result.Length; i++)
            result[i] = new UInt4(Pair(8 * i), Pair((8 * i) + 2), Pair((8 * i) + 4), Pair((8 * i) + 6));
        return result;

        uint Pair(int at) => CodeFragments.Pack(values[at], values[at + 1]);
    }
}
