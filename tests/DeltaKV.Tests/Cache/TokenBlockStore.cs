using DeltaKV.Cache;

namespace DeltaKV.Tests.Cache;

/// <summary>Block memory that keeps, instead of keys and values, which token was written where.</summary>
internal sealed class TokenBlockStore(int blockCount, int blockSize) : IKvBlockStore
{
    private readonly int[] slots = Enumerable.Repeat(-1, blockCount * blockSize).ToArray();

    internal int Copies { get; private set; }

    public void CopyBlock(int source, int destination)
    {
        slots.AsSpan(source * blockSize, blockSize).CopyTo(slots.AsSpan(destination * blockSize));
        Copies++;
    }

    internal void Write(BlockTable table, int position, int token) => slots[Slot(table, position)] = token;

    internal int Read(BlockTable table, int position) => slots[Slot(table, position)];

    private int Slot(BlockTable table, int position) => table[position / blockSize] * blockSize + position % blockSize;
}
