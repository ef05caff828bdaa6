namespace DeltaKV.Cache;

/// <summary>Physical blocks of one sequence, in the order of its positions: token <c>p</c> is slot <c>p % blockSize</c> of <c>this[p / blockSize]</c>.</summary>
internal sealed class BlockTable
{
    private int[] blocks = new int[16];

    internal int Count { get; private set; }

    internal ReadOnlySpan<int> Span => blocks.AsSpan(0, Count);

    internal int this[int index]
    {
        get => Span[index];
        set => blocks.AsSpan(0, Count)[index] = value;
    }

    internal void Add(int block)
    {
        if (Count == blocks.Length)
            Array.Resize(ref blocks, blocks.Length * 2);
        blocks[Count++] = block;
    }

    internal void Clear() => Count = 0;
}
