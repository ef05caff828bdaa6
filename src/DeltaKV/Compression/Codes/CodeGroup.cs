using System.Collections.Immutable;

namespace DeltaKV.Compression.Codes;

/// <summary>Dimensions that code a range of the kv row: all of it, the keys, or the keys or values of one head.</summary>
/// <remarks>
/// Encode: <c>u[i] = sum_w down[i, w] x[start + w]</c>, or of the difference of features where the encoder has a hidden layer; decode: <c>x[start + w] = sum_i value[i] up[i, w]</c>, or of the decoder's
/// features of the values where it has one. Dimensions beyond what is needed to fill a chunk have zero rows.
/// </remarks>
/// <param name="Start">First kv element; a multiple of the head dimension.</param>
/// <param name="Length">Number of kv elements; a multiple of the head dimension.</param>
/// <param name="Chunks">Widths of the chunks, widest first; 16-bit chunks in pairs. Empty: the range is its mean (or reference) alone.</param>
/// <param name="Down"><c>[dimensions, inputs]</c>.</param>
/// <param name="Up"><c>[terms, length]</c>: terms are the dimensions, or the decoder's features.</param>
internal sealed record CodeGroup(int Start, int Length, ImmutableArray<ChunkWidth> Chunks, float[] Down, float[] Up)
{
    /// <summary>The hidden layer of a nonlinear encoder; null: the code is a linear one of kv itself.</summary>
    internal KvFeatures? Features { get; init; }

    /// <summary>What <see cref="Down"/> is multiplied with: kv elements or features.</summary>
    internal int Inputs => Features?.Count ?? Length;

    /// <summary>The hidden layer of a nonlinear decoder, whose input are the dimensions; null: decoding is linear.</summary>
    internal KvFeatures? Decoder { get; init; }

    /// <summary>What <see cref="Up"/> is multiplied with: dimensions or the decoder's features.</summary>
    internal int Terms => Decoder?.Count ?? Dimensions;

    /// <summary>Dimensions of all chunks.</summary>
    internal int Dimensions => Chunks.Sum(DimensionsOf);

    /// <summary>Dimensions of a chunk.</summary>
    internal static int DimensionsOf(ChunkWidth width) => width == ChunkWidth.Bits3 ? 64 : 128 / (int)width;
}
