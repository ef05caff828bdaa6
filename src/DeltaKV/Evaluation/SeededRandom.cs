using System.Numerics;

namespace DeltaKV.Evaluation;

/// <summary>xoshiro256** seeded through splitmix64: the same documents and intervals on every platform and .NET version.</summary>
/// <remarks>Source: Blackman and Vigna, 2018. <see cref="Random"/> promises no stable sequence across versions.</remarks>
internal sealed class SeededRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    /// <summary>A stream of its own for each combination of a seed and what it is used for.</summary>
    public SeededRandom(long seed, params ReadOnlySpan<object> purpose)
    {
        var state = (ulong)seed;
        foreach (var part in purpose)
        {
            foreach (var letter in FormattableString.Invariant($"{part}|"))
                state = Mix(state ^ letter);
        }

        (_a, _b, _c, _d) = (Mix(state), Mix(state + 1), Mix(state + 2), Mix(state + 3));
    }

    /// <summary>Where in its sequence it is: four numbers.</summary>
    public ulong[] State
    {
        get => [_a, _b, _c, _d];
        set => (_a, _b, _c, _d) = (value[0], value[1], value[2], value[3]);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong NextBits()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, bound), without bias.</summary>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        while (true)
        {
            var high = Math.BigMul(NextBits(), (ulong)bound, out var low);
            if (low >= (ulong)-(long)bound % (ulong)bound)
                return (int)high;
        }
    }

    /// <summary>Uniform in [low, high).</summary>
    public int Next(int low, int high) => low + Next(high - low);

    /// <summary>Standard normal, by Box and Muller.</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>One of the items.</summary>
    public T Pick<T>(params ReadOnlySpan<T> items) => items[Next(items.Length)];

    /// <summary>Fisher and Yates.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>Different items, in random order.</summary>
    public T[] Sample<T>(ReadOnlySpan<T> items, int count)
    {
        var copy = items.ToArray();
        Shuffle<T>(copy);
        return copy[..count];
    }

    /// <summary>Different values that <paramref name="create"/> makes, in the order it made them.</summary>
    public static T[] Unique<T>(int count, Func<T> create)
    {
        var seen = new HashSet<T>();
        var result = new List<T>(count);
        while (result.Count < count)
        {
            var value = create();
            if (seen.Add(value))
                result.Add(value);
        }

        return [.. result];
    }

    private static ulong Mix(ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }
}
