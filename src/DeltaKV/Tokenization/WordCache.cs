using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DeltaKV.Tokenization;

/// <summary>
/// Remembers the ids of words already seen. Keys and ids lie in two arenas, so neither a hit nor a miss allocates; when full it forgets
/// everything,
/// which costs less than keeping an order and loses little, since common words return at once. Not thread-safe.
/// </summary>
internal sealed class WordCache
{
    private const int SlotCount = 1 << 15;
    private const int MostWords = SlotCount / 4 * 3;
    private const int LongestWord = 64;

    private readonly Slot[] slots = new Slot[SlotCount];
    private char[] keys = new char[1 << 14];
    private int[] ids = new int[1 << 13];
    private int keyEnd;
    private int idEnd;
    private int wordCount;

    internal static bool Holds(ReadOnlySpan<char> word) => word.Length <= LongestWord;

    internal static ulong Hash(ReadOnlySpan<char> word)
    {
        const ulong Multiplier = 0x9E3779B97F4A7C15UL;
        var bytes = MemoryMarshal.AsBytes(word);
        var hash = (ulong)bytes.Length * Multiplier;
        while (bytes.Length >= 8)
        {
            hash = (BitOperations.RotateLeft(hash, 23) ^ MemoryMarshal.Read<ulong>(bytes)) * Multiplier;
            bytes = bytes[8..];
        }

        ulong tail = 0;
        for (var i = 0; i < bytes.Length; i += 2)
            tail = (tail << 16) | Unsafe.ReadUnaligned<ushort>(in bytes[i]);
        hash = (BitOperations.RotateLeft(hash, 23) ^ tail) * Multiplier;
        return hash ^ (hash >> 29);
    }

    internal bool TryGet(ReadOnlySpan<char> word, ulong hash, out ReadOnlySpan<int> found)
    {
        for (var i = (int)hash & (SlotCount - 1); slots[i].IdCount > 0; i = (i + 1) & (SlotCount - 1))
        {
            ref var slot = ref slots[i];
            if (slot.Hash == hash && keys.AsSpan(slot.KeyStart, slot.KeyLength).SequenceEqual(word))
            {
                found = ids.AsSpan(slot.IdStart, slot.IdCount);
                return true;
            }
        }

        found = default;
        return false;
    }

    internal void Add(ReadOnlySpan<char> word, ulong hash, ReadOnlySpan<int> wordIds)
    {
        if (wordCount == MostWords)
            Forget();
        keys = Grown(keys, keyEnd + word.Length);
        ids = Grown(ids, idEnd + wordIds.Length);
        word.CopyTo(keys.AsSpan(keyEnd));
        wordIds.CopyTo(ids.AsSpan(idEnd));

        var free = (int)hash & (SlotCount - 1);
        while (slots[free].IdCount > 0)
            free = (free + 1) & (SlotCount - 1);
        slots[free] = new Slot(hash, keyEnd, idEnd, (short)word.Length, (short)wordIds.Length);
        keyEnd += word.Length;
        idEnd += wordIds.Length;
        wordCount++;
    }

    private void Forget()
    {
        Array.Clear(slots);
        (keyEnd, idEnd, wordCount) = (0, 0, 0);
    }

    private static T[] Grown<T>(T[] array, int needed)
    {
        if (needed > array.Length)
            Array.Resize(ref array, Math.Max(needed, 2 * array.Length));
        return array;
    }

    private readonly record struct Slot(ulong Hash, int KeyStart, int IdStart, short KeyLength, short IdCount);
}
