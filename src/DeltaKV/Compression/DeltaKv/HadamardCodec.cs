using System.Collections.Immutable;
using System.Numerics;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv;

/// <summary>The calibration-free codec: every head is mixed by a Hadamard matrix, which spreads outliers, and quantised chunk by chunk.</summary>
/// <remarks>Source: Ashkboos et al., QuaRot, 2024; min/max per token and chunk as in KIVI's values.</remarks>
internal static class HadamardCodec
{
    /// <summary>A codec for any layer.</summary>
    /// <param name="keyHeads">KV heads.</param>
    /// <param name="headDim">Numbers per head; its largest power of two factor is mixed.</param>
    /// <param name="keys">Width of key dimensions.</param>
    /// <param name="values">Width of value dimensions.</param>
    /// <param name="scales">A pair of halves per chunk (safe) or per token (smaller).</param>
    public static LinearCodec Create(int keyHeads, int headDim, ChunkWidth keys, ChunkWidth values, CodeScales scales = CodeScales.PerChunk)
    {
        return new LinearCodec
        {
            KeyHeads = keyHeads,
            HeadDim = headDim,
            Mean = new float[2 * keyHeads * headDim],
            Scales = scales,
            Groups = [.. Enumerable.Range(0, 2 * keyHeads).Select(part => Group(part, headDim, part < keyHeads ? keys : values))],
        };
    }

    /// <summary>The keys or values of one head.</summary>
    internal static CodeGroup Group(int part, int headDim, ChunkWidth width)
    {
        var perChunk = CodeGroup.DimensionsOf(width);
        var chunks = ImmutableArray.CreateRange(Enumerable.Repeat(width, (headDim + perChunk - 1) / perChunk));
        var padded = new float[chunks.Length * perChunk * headDim];
        Matrix(headDim).CopyTo(padded, 0);
        return new CodeGroup(part * headDim, headDim, chunks, padded, padded);
    }

    /// <summary>An orthogonal symmetric <c>[headDim, headDim]</c>: Hadamard blocks on the diagonal, scaled to unit rows.</summary>
    private static float[] Matrix(int headDim)
    {
        var block = headDim & -headDim;
        var result = new float[headDim * headDim];
        for (var i = 0; i < headDim; i++)
        {
            for (var j = i / block * block; j < (i / block + 1) * block; j++)
                result[i * headDim + j] = (BitOperations.PopCount((uint)(i % block & j % block)) % 2 == 0 ? 1 : -1) / MathF.Sqrt(block);
        }

        return result;
    }
}
