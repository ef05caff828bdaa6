namespace DeltaKV.Compression.Codes;

/// <summary>
/// Quantises every head after a Hadamard rotation, which spreads outliers over all dimensions; a step per token and chunk. Needs no calibration: the fallback for a
/// model without a codec.
/// </summary>
/// <remarks>Sources: Ashkboos et al., QuaRot, 2024; Liu et al., KIVI, 2024 (asymmetric groups).</remarks>
internal static class HadamardCodec
{
    internal static LinearCodec Create(int keyHeads, int headDim, ChunkWidth keyWidth, ChunkWidth valueWidth, int neighbours = 0) => new()
    {
        KeyHeads = keyHeads,
        HeadDim = headDim,
        Neighbours = neighbours,
        Scales = CodeScales.PerChunk,
        Mean = new float[2 * keyHeads * headDim],
        Groups = [.. Enumerable.Range(0, 2 * keyHeads).Select(part => Group(part * headDim, headDim, part < keyHeads ? keyWidth : valueWidth))],
    };

    private static CodeGroup Group(int start, int headDim, ChunkWidth width)
    {
        var perChunk = CodeGroup.DimensionsOf(width);
        var chunks = (headDim + perChunk - 1) / perChunk;
        // The largest power of two that divides the head: 64, 16, 32 and 128.
        var order = headDim & -headDim;
        var matrix = new float[chunks * perChunk * headDim];
        for (var row = 0; row < headDim; row++)
        {
            for (var column = row / order * order; column < (row / order * order) + order; column++)
            {
                var sign = int.PopCount((row % order) & (column % order)) % 2 == 0 ? 1f : -1f;
                matrix[(row * headDim) + column] = sign / MathF.Sqrt(order);
            }
        }

        // Symmetric and orthogonal: it is its own inverse.
        return new CodeGroup(start, headDim, [.. Enumerable.Repeat(width, chunks)], matrix, matrix);
    }
}
