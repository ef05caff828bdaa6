namespace DeltaKV.Compression.Codes;

/// <summary>Stores kv as it is, in halves: nothing is saved, and what is lost is a half's rounding. Tells errors of storage from errors of coding.</summary>
internal static class IdentityCodec
{
    internal static LinearCodec Create(int keyHeads, int headDim, int neighbours = 0) => new()
    {
        KeyHeads = keyHeads,
        HeadDim = headDim,
        Neighbours = neighbours,
        Mean = new float[2 * keyHeads * headDim],
        Groups = [.. Enumerable.Range(0, 2 * keyHeads).Select(part => Group(part, headDim))],
    };

    /// <summary>The keys or values of one head.</summary>
    internal static CodeGroup Group(int part, int headDim)
    {
        var unit = new float[headDim * headDim];
        for (var i = 0; i < headDim; i++)
            unit[(i * headDim) + i] = 1f;
        return new CodeGroup(part * headDim, headDim, [.. Enumerable.Repeat(ChunkWidth.Bits16, headDim / 8)], unit, unit);
    }
}
