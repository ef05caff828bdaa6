using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Between memory order (a lane's words together) and register order (a word of all lanes together). Needs AVX-512.</summary>
internal static class Transpose
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Evens() => Vector512.Create(0u, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Odds() => Vector512.Create(1u, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> FirstWords() => Vector512.Create(0u, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> LastWords() => Vector512.Create(2u, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> LowPairs() => Vector512.Create(0u, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> HighPairs() => Vector512.Create(8u, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> LowQuads() => Vector512.Create(0ul, 8, 1, 9, 2, 10, 3, 11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> HighQuads() => Vector512.Create(4ul, 12, 5, 13, 6, 14, 7, 15);

    /// <summary>Each input holds the four words of four lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<uint> W0, Vector512<uint> W1, Vector512<uint> W2, Vector512<uint> W3) QuadsToWords(
        Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d)
    {
        var firstLow = Avx512F.PermuteVar16x32x2(a, FirstWords(), b);
        var firstHigh = Avx512F.PermuteVar16x32x2(c, FirstWords(), d);
        var lastLow = Avx512F.PermuteVar16x32x2(a, LastWords(), b);
        var lastHigh = Avx512F.PermuteVar16x32x2(c, LastWords(), d);
        return (
            Vector512.Create(firstLow.GetLower(), firstHigh.GetLower()),
            Vector512.Create(firstLow.GetUpper(), firstHigh.GetUpper()),
            Vector512.Create(lastLow.GetLower(), lastHigh.GetLower()),
            Vector512.Create(lastLow.GetUpper(), lastHigh.GetUpper()));
    }

    /// <summary>The inverse of <see cref="QuadsToWords"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<uint> A, Vector512<uint> B, Vector512<uint> C, Vector512<uint> D) WordsToQuads(
        Vector512<uint> w0, Vector512<uint> w1, Vector512<uint> w2, Vector512<uint> w3)
    {
        var (firstLow, firstHigh) = WordsToPairs(w0, w1);
        var (lastLow, lastHigh) = WordsToPairs(w2, w3);
        return (
            Avx512F.PermuteVar8x64x2(firstLow.AsUInt64(), LowQuads(), lastLow.AsUInt64()).AsUInt32(),
            Avx512F.PermuteVar8x64x2(firstLow.AsUInt64(), HighQuads(), lastLow.AsUInt64()).AsUInt32(),
            Avx512F.PermuteVar8x64x2(firstHigh.AsUInt64(), LowQuads(), lastHigh.AsUInt64()).AsUInt32(),
            Avx512F.PermuteVar8x64x2(firstHigh.AsUInt64(), HighQuads(), lastHigh.AsUInt64()).AsUInt32());
    }

    /// <summary>Interleaves two registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<uint> Low, Vector512<uint> High) WordsToPairs(Vector512<uint> w0, Vector512<uint> w1) => (
        Avx512F.PermuteVar16x32x2(w0, LowPairs(), w1),
        Avx512F.PermuteVar16x32x2(w0, HighPairs(), w1));
}
