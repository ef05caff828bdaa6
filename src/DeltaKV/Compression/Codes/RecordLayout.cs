namespace DeltaKV.Compression.Codes;

/// <summary>Where the parts of a stored row of one token and layer lie: <c>codes | scales | reference ids</c>, padded to 16 bytes.</summary>
/// <param name="ChunkCount">16-byte chunks.</param>
/// <param name="ScaleCount">(step, zero) pairs of 4 bytes.</param>
/// <param name="Neighbours">Reference ids of 2 bytes.</param>
internal readonly record struct RecordLayout(int ChunkCount, int ScaleCount, int Neighbours)
{
    /// <summary>First word of the scales.</summary>
    internal int ScaleWord => ChunkCount * 4;

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
        return new RecordLayout(codec.ChunkCount, scales, codec.Neighbours);
    }
}
