using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>
/// RoPE in registers for neighbouring tokens: keys are turned by their distance from a first token only, by one small table for all tiles, and the queries back by that token's position.
/// </summary>
/// <remarks>
/// A pass is 64 elements of a head: lane t of a group of four has elements 8t to 8t + 7 of 32 in the lower half of the head, and their partners in the upper half, as pairs of halves.
/// </remarks>
internal static class KeyTurns
{
    // The signs of a pair of halves; by itself a pair of negative zeros, which adds nothing.
    private const uint Signs = 0x80008000;

    private const int Pairs = 4;

    /// <summary>16-byte pieces from distance to distance of the table <c>[distance][pass][cosines, sines][4]</c>: those of two distances lie in different banks.</summary>
    internal static int Stride<THead>()
        where THead : struct, IHead => (THead.Dim / 8) + 4;

    /// <summary>Fills the table for so many distances; thread by thread a distance and eight neighbouring angles.</summary>
    internal static void Prepare<THead>(CodePoolView pool, int distances, ArrayView<UInt4> table)
        where THead : struct, IHead
    {
        for (var i = Group.IdxX; i < distances * THead.Dim / 16; i += Group.DimX)
        {
            var distance = i / (THead.Dim / 16);
            var eight = i % (THead.Dim / 16);
            var cosines = LocalMemory.Allocate<uint>(Pairs);
            var sines = LocalMemory.Allocate<uint>(Pairs);
            for (var j = 0; j < Unroll.Full(Pairs); j++)
            {
                var even = RopeRotation.Of(distance * pool.InverseFrequencies[(8 * eight) + (2 * j)], pool.RopeScale);
                var odd = RopeRotation.Of(distance * pool.InverseFrequencies[(8 * eight) + (2 * j) + 1], pool.RopeScale);
                cosines[j] = Half2.FromSingles(even.X, odd.X).Bits;
                sines[j] = Half2.FromSingles(even.Y, odd.Y).Bits;
            }

            var at = (distance * Stride<THead>()) + ((eight >> 2) * 8) + (eight & 3);
            table[at] = new UInt4(cosines[0], cosines[1], cosines[2], cosines[3]);
            table[at + 4] = new UInt4(sines[0], sines[1], sines[2], sines[3]);
        }
    }

    /// <summary>The first warp puts the queries, as halves, where all find them <c>[pass][lower, upper][32]</c>.</summary>
    internal static void LoadQueries<THead>(in LatentArguments arguments, int row, int firstQuery, int queryCount, ArrayView<UInt4> queries)
        where THead : struct, IHead
    {
        if (Group.IdxX >= 32)
            return;
        var query = firstQuery + Math.Min(Warp.LaneIdx >> 2, queryCount - 1);
        var stride = (arguments.QueryHeads + (2 * arguments.KeyHeads)) * (THead.Dim / 8);
        var source = arguments.Qkv.SubView(((long)row * stride) + (query * (THead.Dim / 8)) + (Warp.LaneIdx & 3));
        for (var pass = 0; pass < Unroll.Full(THead.Dim / 64); pass++)
        {
            queries[(pass * 64) + Warp.LaneIdx] = HalfEights.Of(source[4 * pass]);
            queries[(pass * 64) + 32 + Warp.LaneIdx] = HalfEights.Of(source[(4 * pass) + (THead.Dim / 16)]);
        }
    }

    /// <summary>A warp notes the cosines and sines of a position <c>[pass][cosines, sines][16]</c>, a pair of elements per lane.</summary>
    internal static void TurnTo<THead>(ArrayView<float> frequencies, int position, ArrayView<uint> turns)
        where THead : struct, IHead
    {
        if (Warp.LaneIdx >= THead.Dim / 4)
            return;
        var even = RopeRotation.Of(position * frequencies[2 * Warp.LaneIdx], 1f);
        var odd = RopeRotation.Of(position * frequencies[(2 * Warp.LaneIdx) + 1], 1f);
        var at = ((Warp.LaneIdx >> 4) * 32) + (Warp.LaneIdx & 15);
        turns[at] = Half2.FromSingles(even.X, odd.X).Bits;
        turns[at + 16] = Half2.FromSingles(even.Y, odd.Y).Bits;
    }

    /// <summary>The queries of a pass as right operands, turned back by the noted position where tokens follow each other.</summary>
    internal static void TurnQueries(ArrayView<UInt4> source, ArrayView<UInt4> turns, bool isContiguous, int pass, ArrayView<UInt2> queries)
    {
        var low = source[(pass * 64) + Warp.LaneIdx];
        var high = source[(pass * 64) + 32 + Warp.LaneIdx];
        // cos 0 = 1.
        var cosine = new UInt4(0x3c003c00, 0x3c003c00, 0x3c003c00, 0x3c003c00);
        var sine = default(UInt4);
        if (isContiguous)
        {
            cosine = turns[(pass * 8) + (Warp.LaneIdx & 3)];
            sine = turns[(pass * 8) + 4 + (Warp.LaneIdx & 3)];
        }

        queries[0] = Turned(low.X, high.X, cosine.X, sine.X);
        queries[1] = Turned(low.Y, high.Y, cosine.Y, sine.Y);
        queries[2] = Turned(low.Z, high.Z, cosine.Z, sine.Z);
        queries[3] = Turned(low.W, high.W, cosine.W, sine.W);
    }

    /// <summary>Two elements and their partners turned by an angle each.</summary>
    internal static UInt2 Rotated(Half2 x, Half2 y, Half2 cosine, Half2 sine)
    {
        var zero = new Half2(Signs);
        return new UInt2(
            Half2.FusedMultiplyAdd(new Half2(y.Bits ^ Signs), sine, Half2.FusedMultiplyAdd(x, cosine, zero)).Bits,
            Half2.FusedMultiplyAdd(x, sine, Half2.FusedMultiplyAdd(y, cosine, zero)).Bits);
    }

    /// <summary>Two elements and their partners by minus an angle each.</summary>
    private static UInt2 Turned(uint low, uint high, uint cosine, uint sine) => Rotated(new Half2(low), new Half2(high), new Half2(cosine), new Half2(sine ^ Signs));
}
