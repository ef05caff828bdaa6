namespace DeltaKV.Kernels.Sampling;

/// <summary>Philox 4x32-10: random bits as a function of a key and a counter, so that a draw does not depend on what else is in the batch.</summary>
/// <remarks>Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011.</remarks>
internal static class Philox
{
    private const int Rounds = 10;

    /// <summary>The first 32 bits of block (<paramref name="counter"/>, 0) under a key.</summary>
    internal static uint Draw(ulong key, ulong counter)
    {
        var (x0, x1, x2, x3) = ((uint)counter, (uint)(counter >> 32), 0u, 0u);
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = 0xD2511F53ul * x0;
            var product1 = 0xCD9E8D57ul * x2;
            var next0 = (uint)(product1 >> 32) ^ x1 ^ k0;
            var next2 = (uint)(product0 >> 32) ^ x3 ^ k1;
            x1 = (uint)product1;
            x3 = (uint)product0;
            x0 = next0;
            x2 = next2;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }

        return x0;
    }
}
