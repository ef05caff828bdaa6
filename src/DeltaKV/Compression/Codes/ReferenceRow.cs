using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>
/// A stored reference: pre-RoPE kv as halves, or as bytes or nibbles with a (step, zero) pair of halves per part (keys or values of a head). Codes of all
/// parts first, then the pairs. Eight neighbours are 16, 8 or 4 bytes; integers lie in words of four or eight as in a chunk.
/// </summary>
internal static class ReferenceRow
{
    /// <summary>Words of a row, padded to 16 bytes.</summary>
    internal static int WordsOf(int bits, int parts, int headDim) => (((parts * headDim * bits) + (bits == 16 ? 0 : parts * 32) + 127) / 128) * 4;

    /// <summary>Elements <paramref name="element"/> (a multiple of 8) and the next seven of a part, as four pairs of halves.</summary>
    internal static UInt4 LoadEight(ArrayView<uint> references, long row, int bits, int parts, int headDim, int part, int element)
    {
        var first = (part * headDim) + element;
        if (bits == 16)
            return Cached.LoadReadOnly(ref references.Cast<UInt4>()[(row + (first >> 1)) >> 2]);
        var scale = references[row + (parts * headDim * bits / 32) + part];
        var step = Half2.BroadcastLow(scale);
        var zero = Half2.BroadcastHigh(scale);
        if (bits == 8)
        {
            var low = references[row + (first >> 2)];
            var high = references[row + (first >> 2) + 1];
            return new UInt4(
                CodeWord.Bytes(low, step, zero), CodeWord.Bytes(low >> 8, step, zero), CodeWord.Bytes(high, step, zero), CodeWord.Bytes(high >> 8, step, zero));
        }

        var word = references[row + (first >> 3)];
        return new UInt4(
            CodeWord.Nibbles(word, step, zero), CodeWord.Nibbles(word >> 4, step, zero),
            CodeWord.Nibbles(word >> 8, step, zero), CodeWord.Nibbles(word >> 12, step, zero));
    }
}
