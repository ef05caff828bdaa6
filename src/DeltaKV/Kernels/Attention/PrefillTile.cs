namespace DeltaKV.Kernels.Attention;

/// <summary>A run of up to <see cref="MaxRows"/> new tokens of one sequence: what one group of the prefill kernel attends from.</summary>
/// <param name="sequence">The row of the block tables.</param>
/// <param name="firstRow">The row of the batch that holds the first token.</param>
/// <param name="count">The number of tokens.</param>
/// <param name="firstPosition">The position of the first token in its sequence.</param>
internal readonly struct PrefillTile(int sequence, int firstRow, int count, int firstPosition)
{
    /// <summary>The most tokens of a tile.</summary>
    internal const int MaxRows = 64;

    /// <summary>The row of the block tables.</summary>
    public readonly int Sequence = sequence;

    /// <summary>The row of the batch.</summary>
    public readonly int FirstRow = firstRow;

    /// <summary>The number of tokens.</summary>
    public readonly int Count = count;

    /// <summary>The position in the sequence.</summary>
    public readonly int FirstPosition = firstPosition;

    /// <summary>How many tiles a chunk of new tokens takes.</summary>
    internal static int CountOf(int tokens) => (tokens + MaxRows - 1) / MaxRows;

    /// <summary>
    /// Cuts a chunk of <paramref name="tokens"/> new tokens into tiles, the last first: it has the most keys to read, and groups start in order.
    /// </summary>
    /// <returns>The number of tiles written to <paramref name="target"/>.</returns>
    internal static int Cut(int sequence, int firstRow, int tokens, int firstPosition, Span<PrefillTile> target)
    {
        var tiles = CountOf(tokens);
        for (var i = 0; i < tiles; i++)
        {
            var offset = (tiles - 1 - i) * MaxRows;
            target[i] = new PrefillTile(sequence, firstRow + offset, Math.Min(MaxRows, tokens - offset), firstPosition + offset);
        }

        return tiles;
    }
}
