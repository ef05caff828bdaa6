using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>The four best candidates so far, in registers, best first; of equal scores the earlier reference comes first, whatever the order of arrival.</summary>
internal static class NearestList
{
    internal static void Clear(ArrayView<Candidate> list)
    {
        for (var i = 0; i < Unroll.Full(4); i++)
            list[i] = new Candidate(float.NegativeInfinity, -1);
    }

    /// <summary>Whether a candidate would enter.</summary>
    internal static bool Accepts(ArrayView<Candidate> list, float score, int ordinal) => IsBetter(score, ordinal, list[3]);

    /// <summary>Puts an accepted candidate in its place.</summary>
    internal static void Insert(ArrayView<Candidate> list, float score, int ordinal)
    {
        var candidate = new Candidate(score, ordinal);
        for (var i = 0; i < Unroll.Full(4); i++)
        {
            var held = list[i];
            var swap = IsBetter(candidate.Score, candidate.Ordinal, held);
            list[i] = new Candidate(swap ? candidate.Score : held.Score, swap ? candidate.Ordinal : held.Ordinal);
            candidate = new Candidate(swap ? held.Score : candidate.Score, swap ? held.Ordinal : candidate.Ordinal);
        }
    }

    /// <summary>Takes over what the lane at distance <paramref name="mask"/> has; both end with the same list.</summary>
    internal static void MergeXor(ArrayView<Candidate> list, int mask)
    {
        var others = LocalMemory.Allocate<Candidate>(4);
        for (var i = 0; i < Unroll.Full(4); i++)
            others[i] = new Candidate(Warp.ShuffleXor(list[i].Score, mask), Warp.ShuffleXor(list[i].Ordinal, mask));
        for (var i = 0; i < Unroll.Full(4); i++)
            Insert(list, others[i].Score, others[i].Ordinal);
    }

    private static bool IsBetter(float score, int ordinal, Candidate than) =>
        score > than.Score || (score == than.Score && ordinal >= 0 && (than.Ordinal < 0 || ordinal < than.Ordinal));
}
