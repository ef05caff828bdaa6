namespace DeltaKV.Kernels.Sampling;

/// <summary>Philox4x32-10: random bits as a function of a key and a counter, without any state.</summary>
/// <remarks>Source: Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, 2011.</remarks>
internal static class Philox
{
    private const int Rounds = 10;

    /// <summary>32 bits that depend on the arguments only.</summary>
    internal static uint Bits(ulong seed, uint counter, uint lane)
    {
        uint keyA = (uint)seed, keyB = (uint)(seed >> 32);
        uint a = counter, b = lane, c = 0, d = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var first = (ulong)a * 0xD2511F53;
            var second = (ulong)c * 0xCD9E8D57;
            a = (uint)(second >> 32) ^ b ^ keyA;
            c = (uint)(first >> 32) ^ d ^ keyB;
            b = (uint)second;
            d = (uint)first;
            keyA += 0x9E3779B9;
            keyB += 0xBB67AE85;
        }

        return a;
    }
}
