using System.Numerics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>A set of register numbers.</summary>
internal readonly struct RegisterSet(int count)
{
    private readonly ulong[] words = new ulong[(count + 63) / 64];

    public bool Contains(int register) => (words[register >> 6] >> register & 1) != 0;

    public void Add(int register) => words[register >> 6] |= 1ul << register;

    /// <summary>Adds the members of another set; returns whether that changed anything.</summary>
    public bool UnionWith(RegisterSet other)
    {
        ulong added = 0;
        for (var i = 0; i < words.Length; i++)
        {
            added |= other.words[i] & ~words[i];
            words[i] |= other.words[i];
        }

        return added != 0;
    }

    /// <summary>Adds what is in one set and not in another; returns whether that changed anything.</summary>
    public bool UnionWithDifference(RegisterSet other, RegisterSet except)
    {
        ulong added = 0;
        for (var i = 0; i < words.Length; i++)
        {
            var members = other.words[i] & ~except.words[i];
            added |= members & ~words[i];
            words[i] |= members;
        }

        return added != 0;
    }

    public void ForEach(Action<int> action)
    {
        for (var i = 0; i < words.Length; i++)
        {
            for (var bits = words[i]; bits != 0; bits &= bits - 1)
                action((i << 6) + BitOperations.TrailingZeroCount(bits));
        }
    }
}
