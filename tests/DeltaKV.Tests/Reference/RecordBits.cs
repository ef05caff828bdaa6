using DeltaKV.Compression.Codes;

namespace DeltaKV.Tests.Reference;

/// <summary>Where the integers of a record are, bit by bit.</summary>
/// <remarks>
/// A chunk's 16 bytes are four words; word w of a b-bit chunk holds dimensions <c>32/b w</c> onwards, dimension d of a word at bit <c>16 (d mod 2) + b (d / 2)</c>. Chunks of
/// 3 bits have 16 dimensions per word: what exceeds a half of the word, bits 16 to 23, is byte <c>2 w + d mod 2</c> of the chunk's tail. Tails follow the chunks, 8 bytes
/// each, those of keys and values of a head one after the other.
/// </remarks>
internal sealed class RecordBits
{
    private readonly int[] tails;
    private readonly int tailWord;

    internal RecordBits(LinearCodec codec)
    {
        tailWord = 4 * codec.ChunkCount;
        var chunks = codec.Groups.SelectMany(group => group.Chunks.Select(width => (Head: group.Start % (codec.Width / 2), width))).ToArray();
        var octals = Enumerable.Range(0, chunks.Length).Where(chunk => chunks[chunk].width == ChunkWidth.Bits3).OrderBy(chunk => chunks[chunk].Head).ToList();
        tails = [.. Enumerable.Range(0, chunks.Length).Select(chunk => octals.IndexOf(chunk))];
    }

    internal uint Read(ReadOnlySpan<uint> record, int chunk, ChunkWidth width, int dimension)
    {
        var code = 0u;
        for (var bit = 0; bit < (int)width; bit++)
        {
            var (word, shift) = Place(chunk, width, dimension, bit);
            code |= ((record[word] >> shift) & 1) << bit;
        }

        return code;
    }

    /// <summary>Adds an integer to a record that has zeros in its place.</summary>
    internal void Write(Span<uint> record, int chunk, ChunkWidth width, int dimension, uint code)
    {
        for (var bit = 0; bit < (int)width; bit++)
        {
            var (word, shift) = Place(chunk, width, dimension, bit);
            record[word] |= ((code >> bit) & 1) << shift;
        }
    }

    private (int Word, int Shift) Place(int chunk, ChunkWidth width, int dimension, int bit)
    {
        var perWord = CodeGroup.DimensionsOf(width) / 4;
        var (word, d) = (dimension / perWord, dimension % perWord);
        var at = ((int)width * (d / 2)) + bit;
        if (at < 16)
            return ((4 * chunk) + word, (16 * (d % 2)) + at);
        var tailByte = (8 * tails[chunk]) + (2 * word) + (d % 2);
        return (tailWord + (tailByte / 4), (8 * (tailByte % 4)) + at - 16);
    }
}
