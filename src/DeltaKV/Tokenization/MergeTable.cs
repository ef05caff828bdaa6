using System.Numerics;

namespace DeltaKV.Tokenization;

/// <summary>From a pair of token ids to the merge's rank and result: an open-addressing table of 64-bit keys and values.</summary>
internal sealed class MergeTable
{
    /// <summary>What <see cref="Find"/> returns for a pair that does not merge; larger than every merge.</summary>
    internal const ulong None = ulong.MaxValue;

    private const ulong EmptyKey = ulong.MaxValue;

    private readonly ulong[] keys;
    private readonly ulong[] values;
    private readonly int shift;

    internal MergeTable(IReadOnlyList<(int Left, int Right, int Merged)> merges)
    {
        var capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, merges.Count * 3L / 2));
        shift = 64 - BitOperations.Log2((uint)capacity);
        keys = new ulong[capacity];
        values = new ulong[capacity];
        Array.Fill(keys, EmptyKey);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right, merged) = merges[rank];
            var slot = SlotOf(Key(left, right));
            keys[slot] = Key(left, right);
            values[slot] = ((ulong)rank << 32) | (uint)merged;
        }
    }

    /// <summary>Rank in the upper half, merged id in the lower, so that a smaller value is an earlier merge.</summary>
    internal ulong Find(int left, int right)
    {
        var slot = SlotOf(Key(left, right));
        return keys[slot] == EmptyKey ? None : values[slot];
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private int SlotOf(ulong key)
    {
        var slot = (int)((key * 0x9E3779B97F4A7C15UL) >> shift);
        while (keys[slot] != key && keys[slot] != EmptyKey)
            slot = (slot + 1) & (keys.Length - 1);
        return slot;
    }
}
