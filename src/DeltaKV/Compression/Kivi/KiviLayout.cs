namespace DeltaKV.Compression.Kivi;

/// <summary>Where a number lies in a block of one head: every lane of a warp finds its shares of tensor-core fragments side by side, 16 bytes at a time.</summary>
/// <remarks>
/// A warp decodes a block with m16n8k16 and lane (g, t), g = lane / 4, t = lane % 4. Keys are left operands whose rows are tokens: lane (g, t) holds tokens g + 8i and, of
/// every 32 channels, those from 8t on. Values are left operands whose rows are channels: it holds, of every 32 channels, those from 4g on, and tokens 2t and 2t + 1 of
/// every eight. Two numbers that share a register (neighbouring channels of a key, neighbouring tokens of a value) are a pair; pairs of a lane are numbered, <c>16 / bits</c> to a
/// word, the s-th of a word at bits <c>s * bits</c> and 16 above.
/// As halves, masked integers at bit b of their register are tiny numbers, <c>2^(b - 24)</c> each, which the tensor cores take as they are: no conversion. So the stored step is the step
/// times <c>2^-b</c>, b = <see cref="Offset"/>, and a sum of products is scaled by <see cref="CodeUnit"/> once.
/// </remarks>
internal static class KiviLayout
{
    /// <summary>What one unit of an integer counts as a half: <c>2^-24</c>; the reciprocal.</summary>
    internal const float CodeUnit = 16777216f;

    /// <summary>Pieces of 16 bytes that codes of so many bits take.</summary>
    internal static int CodeUnits(int headDim, int bits) => headDim * bits / 4;

    /// <summary>Pieces of 16 bytes of steps, or of zeros.</summary>
    internal static int ScaleUnits(int headDim) => headDim / 8;

    /// <summary>Pieces of 16 bytes before the values.</summary>
    internal static int ValueUnit(int headDim, int keyBits) => CodeUnits(headDim, keyBits) + (2 * ScaleUnits(headDim));

    /// <summary>Pieces of 16 bytes of a block of one head.</summary>
    internal static int HeadUnits(int headDim, int keyBits, int valueBits) => CodeUnits(headDim, keyBits + valueBits) + (4 * ScaleUnits(headDim));

    /// <summary>The word among those of all lanes that holds a lane's word.</summary>
    internal static int WordOf(int lane, int word) => ((((word >> 2) * 32) + lane) * 4) + (word & 3);

    /// <summary>The word of its lane that holds a pair.</summary>
    internal static int WordOfPair(int bits, int pair) => pair >> PairShift(bits);

    /// <summary>The lowest bit of a pair in its word.</summary>
    internal static int BitOfPair(int bits, int pair) => bits * (pair & ((1 << PairShift(bits)) - 1));

    /// <summary>The lowest bit of a pair within eight: how far its integers stay shifted as operands.</summary>
    internal static int Offset(int bits, int pair) => (bits * pair) & 7;

    /// <summary>The lane that holds eight channels, <c>8 chunk</c> and on, of the key in a slot.</summary>
    internal static int KeyLane(int slot, int chunk) => ((slot & 7) * 4) + (chunk & 3);

    /// <summary>The first of the four pairs of those channels.</summary>
    internal static int KeyPair(int headDim, int slot, int chunk) => ((slot >> 3) * (headDim / 8)) + (4 * (chunk >> 2));

    /// <summary>Where among a block's integers <c>[slot][channel]</c> the first of a lane's pair of a key comes from; the second is its neighbour.</summary>
    internal static int KeyOf(int headDim, int lane, int pair)
    {
        var slot = (pair / (headDim / 8) * 8) + (lane >> 2);
        var rest = pair % (headDim / 8);
        return (slot * headDim) + ((rest >> 2) * 32) + ((lane & 3) * 8) + ((rest & 3) * 2);
    }

    /// <summary>The lane that holds four channels, <c>8 chunk</c> and on, of the value in a slot; that of the next four is four further.</summary>
    internal static int ValueLane(int slot, int chunk) => (8 * (chunk & 3)) + ((slot >> 1) & 3);

    /// <summary>The pair of the first of those channels; that of the next channel is four further.</summary>
    internal static int ValuePair(int slot, int chunk) => (16 * (chunk >> 2)) + (slot >> 3);

    /// <summary>Where among a block's integers <c>[slot][channel]</c> the first of a lane's pair of a value comes from; the second is that of the next slot.</summary>
    internal static int ValueOf(int headDim, int lane, int pair) =>
        ((((pair & 3) * 8) + (2 * (lane & 3))) * headDim) + ((pair >> 4) * 32) + ((lane >> 2) * 4) + ((pair >> 2) & 3);

    /// <summary>The half among a block's value steps (or zeros) that belongs to a token and 32 channels.</summary>
    internal static int ValueScale(int channels, int slot) => (((((channels * 4) + ((slot >> 1) & 3)) * 4) + (slot >> 3)) * 2) + (slot & 1);

    /// <summary>Binary logarithm of the pairs of a word.</summary>
    private static int PairShift(int bits) => bits == 8 ? 1 : bits == 4 ? 2 : 3;
}
