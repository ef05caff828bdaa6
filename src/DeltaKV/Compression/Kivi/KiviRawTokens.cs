using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>What a warp does with 16 raw tokens: fragments come from global memory as they lie, as in <see cref="DecodeAttentionKernel"/>.</summary>
internal static class KiviRawTokens
{
    /// <summary>Attends to 16 raw tokens of one block, of which those from <paramref name="first"/> to before <paramref name="valid"/> count.</summary>
    internal static void Attend<THead>(
        in DecodeArguments<KiviReader> arguments, long firstRow, int first, int valid, int row, int query, ref KiviSoftmax softmax, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        var lane = Warp.LaneIdx;
        var score = Score<THead>(arguments, firstRow, first, valid, row, query);
        var upper = (lane >> 2) >= first && (lane >> 2) < valid;
        var lower = (lane >> 2) + 8 >= first && (lane >> 2) + 8 < valid;
        score = new Float4(
            upper ? score.X * arguments.Scale : float.NegativeInfinity,
            upper ? score.Y * arguments.Scale : float.NegativeInfinity,
            lower ? score.Z * arguments.Scale : float.NegativeInfinity,
            lower ? score.W * arguments.Scale : float.NegativeInfinity);
        var none = new Float4(float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity);
        Float4 zeros = default;
        softmax.Update<THead>(ref score, ref none, sums, ref zeros);
        var weights = new UInt2(
            MoveMatrix.Transpose(BFloat16x2.FromSingles(score.X, score.Y).Bits), MoveMatrix.Transpose(BFloat16x2.FromSingles(score.Z, score.W).Bits));

        // Channels 4g to 4g + 3 of every 32, tokens 2t, 2t + 1, 2t + 8 and 2t + 9; tokens that do not count read one that does and weigh nothing.
        var source = arguments.Reader.Raw.Values.Cast<UInt2>().SubView((firstRow * (THead.Dim / 4)) + (lane >> 2));
        var token = 2 * (lane & 3);
        var v0 = source.SubView(Math.Clamp(token, first, valid - 1) * (THead.Dim / 4));
        var v1 = source.SubView(Math.Clamp(token + 1, first, valid - 1) * (THead.Dim / 4));
        var v8 = source.SubView(Math.Clamp(token + 8, first, valid - 1) * (THead.Dim / 4));
        var v9 = source.SubView(Math.Clamp(token + 9, first, valid - 1) * (THead.Dim / 4));
        for (var run = 0; run < Unroll.Full(THead.Dim / 32); run++)
        {
            var (a, b, c, d) = (v0[8 * run], v1[8 * run], v8[8 * run], v9[8 * run]);
            sums[2 * run] = Mma.BFloat16(DecodeAttentionKernel.Columns(a.X, b.X, c.X, d.X), weights, sums[2 * run]);
            sums[(2 * run) + 1] = Mma.BFloat16(DecodeAttentionKernel.Columns(a.Y, b.Y, c.Y, d.Y), weights, sums[(2 * run) + 1]);
        }
    }

    private static Float4 Score<THead>(in DecodeArguments<KiviReader> arguments, long firstRow, int first, int valid, int row, int query)
        where THead : struct, IHead
    {
        var lane = Warp.LaneIdx;
        var queries = arguments.Qkv.Cast<UInt4>().SubView(((long)row * (arguments.QkvWords / 4)) + (query * (THead.Dim / 8)) + (lane & 3));
        var source = arguments.Reader.Raw.Keys.Cast<UInt4>().SubView((firstRow * (THead.Dim / 8)) + (lane & 3));
        var upper = source.SubView(Math.Clamp(lane >> 2, first, valid - 1) * (THead.Dim / 8));
        var lower = source.SubView(Math.Clamp((lane >> 2) + 8, first, valid - 1) * (THead.Dim / 8));
        Float4 even = default, odd = default;
        for (var j = 0; j < Unroll.Full(THead.Dim / 32); j++)
        {
            var (a, b, q) = (upper[4 * j], lower[4 * j], queries[4 * j]);
            even = Mma.BFloat16(new UInt4(a.X, b.X, a.Y, b.Y), new UInt2(q.X, q.Y), even);
            odd = Mma.BFloat16(new UInt4(a.Z, b.Z, a.W, b.W), new UInt2(q.Z, q.W), odd);
        }

        return new Float4(even.X + odd.X, even.Y + odd.Y, even.Z + odd.Z, even.W + odd.W);
    }
}
