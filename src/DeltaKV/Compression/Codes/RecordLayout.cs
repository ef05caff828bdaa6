namespace DeltaKV.Compression.Codes;

/// <summary>Where the parts of a stored row of one token and layer lie: <c>codes | tails | scales | reference ids</c>, padded to 16 bytes.</summary>
/// <remarks>
/// A tail is what 64 dimensions of 3 bits take beyond 16 bytes. Tails of keys and values of one head are neighbours, so that a head that is read alone needs one piece for both.
/// </remarks>
/// <param name="ChunkCount">16-byte chunks.</param>
/// <param name="TailCount">Tails of 8 bytes, one per 3-bit chunk; an odd number is padded to 16 bytes.</param>
/// <param name="ScaleCount">(step, zero) pairs of 4 bytes.</param>
/// <param name="Neighbours">Reference ids of 2 bytes.</param>
internal readonly record struct RecordLayout(int ChunkCount, int TailCount, int ScaleCount, int Neighbours)
{
    /// <summary>First word of the tails.</summary>
    internal int TailWord => ChunkCount * 4;

    /// <summary>First word of the scales.</summary>
    internal int ScaleWord => TailWord + ((TailCount + 1) / 2 * 4);

    /// <summary>First word of the ids.</summary>
    internal int IdWord => ScaleWord + ScaleCount;

    /// <summary>Words of the row, padding included.</summary>
    internal int Words => (IdWord + ((Neighbours + 1) / 2) + 3) / 4 * 4;

    /// <summary>Bytes of the row, padding included.</summary>
    internal int Bytes => Words * 4;

    internal static RecordLayout Of(LinearCodec codec)
    {
        var integers = codec.Groups.Sum(group => group.Chunks.Count(width => width != ChunkWidth.Bits16));
        var scales = codec.Scales switch
        {
            CodeScales.PerChunk => integers,
            CodeScales.PerToken => Math.Min(integers, 1),
            _ => 0,
        };
        return new RecordLayout(codec.ChunkCount, codec.Groups.Sum(TailsOf), scales, codec.Neighbours);
    }

    /// <summary>Number of the first tail of every group: groups that begin at the same head, of keys and of values, follow each other.</summary>
    internal static int[] FirstTails(LinearCodec codec)
    {
        var first = new int[codec.Groups.Length];
        var next = 0;
        foreach (var group in Enumerable.Range(0, first.Length).OrderBy(group => codec.Groups[group].Start % (codec.Width / 2)))
        {
            first[group] = next;
            next += TailsOf(codec.Groups[group]);
        }

        return first;
    }

    private static int TailsOf(CodeGroup group) => group.Chunks.Count(width => width == ChunkWidth.Bits3);
}
