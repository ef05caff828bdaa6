namespace DeltaKV.Tests.Tokenization;

/// <summary>The generator of tools/golden/portable.py, number for number.</summary>
internal sealed class SplitMix64(ulong seed)
{
    private ulong state = seed;

    internal int Below(int bound) => (int)(Next() % (ulong)bound);

    private ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
