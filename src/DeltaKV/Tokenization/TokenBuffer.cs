namespace DeltaKV.Tokenization;

/// <summary>A growing run of ids that keeps its memory between uses.</summary>
internal sealed class TokenBuffer
{
    private int[] ids = new int[1024];

    internal int Count { get; private set; }

    internal ReadOnlySpan<int> Ids => ids.AsSpan(0, Count);

    internal void Clear() => Count = 0;

    internal void Add(int id) => Extend(1)[0] = id;

    internal void Add(ReadOnlySpan<int> more) => more.CopyTo(Extend(more.Length));

    /// <summary>
    /// Adds <paramref name="count"/> places and returns them; the caller fills them, and may give back some with <see cref="Shrink"/>.
    /// </summary>
    internal Span<int> Extend(int count)
    {
        if (Count + count > ids.Length)
            Array.Resize(ref ids, Math.Max(Count + count, 2 * ids.Length));
        Count += count;
        return ids.AsSpan(Count - count, count);
    }

    internal void Shrink(int count) => Count -= count;
}
