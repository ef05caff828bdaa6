using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>The references of a tile's tokens: their keys are added to reconstructed keys, their values are summed with the tokens' weights.</summary>
internal static class LatentReferences
{
    /// <summary>Notes where the references of the warp's tokens are <c>[token][4]</c>, in rows, and asks for the head's part of them in L2.</summary>
    internal static void Find<THead, TReferences>(in LatentArguments arguments, LatentPlan plan, int sequence, int head, LatentShared tables, int firstWord)
        where THead : struct, IHead
        where TReferences : struct, LatentDecodeKernel.IReferences
    {
        var pool = arguments.Pool;
        var code = pool.LayerCodes[arguments.Layer];
        var codes = tables.Codes.SubView((long)(firstWord + ((Group.IdxX & ~31) * 4 * arguments.TokenPieces) + (4 * Warp.LaneIdx)));
        for (var n = 0; n < Unroll.Full(4); n++)
        {
            // Where there are fewer than four, the last stands for the others, which weigh nothing.
            var id = Math.Min(n, code.Neighbours - 1);
            var at = plan.IdWord + (id >> 1);
            var word = codes[((at >> 2) * LatentDecodeKernel.WarpTokens * 4) + (at & 3)];
            // Behind the last token ids are zeros, and the first reference is there if any token is.
            var row = pool.PlaceOf(code, sequence, (int)((id & 1) == 0 ? word & 0xffff : word >> 16));
            tables.References[(4 * Group.IdxX) + n] = row;
            if (TReferences.Bits == 16 && n < code.Neighbours)
            {
                var source = pool.References.Cast<UInt4>().SubView((((long)row * pool.ReferenceWords) >> 2) + (head * (THead.Dim / 8)));
                for (var line = 0; line < Unroll.Full(THead.Dim / 64); line++)
                {
                    Cached.PrefetchL2(ref source[8 * line]);
                    Cached.PrefetchL2(ref source[(arguments.KeyHeads * (THead.Dim / 8)) + (8 * line)]);
                }
            }
        }
    }

    /// <summary>Adds the mean of a token's references: eight elements of the keys from one on, and their partners in the upper half of the head.</summary>
    internal static void Add<THead, TReferences>(
        CodePoolView pool, int count, int head, int element, ArrayView<int> rows, int token, int at, ArrayView<uint> sums)
        where THead : struct, IHead
        where TReferences : struct, LatentDecodeKernel.IReferences
    {
        var low = LocalMemory.Allocate<UInt4>(4);
        var high = LocalMemory.Allocate<UInt4>(4);
        for (var n = 0; n < Unroll.Full(4); n++)
        {
            var row = (long)rows[(4 * token) + n] * pool.ReferenceWords;
            low[n] = ReferenceRow.LoadEight(pool.References, row, TReferences.Bits, 2 * pool.KeyHeads, THead.Dim, head, element);
            high[n] = ReferenceRow.LoadEight(pool.References, row, TReferences.Bits, 2 * pool.KeyHeads, THead.Dim, head, element + (THead.Dim / 2));
        }

        for (var n = 0; n < Unroll.Full(4); n++)
        {
            var weight = Weight(n, count);
            AddFour(low[n], weight, sums, at);
            AddFour(high[n], weight, sums, at + 4);
        }
    }

    /// <summary>
    /// Adds the weighted values of the references of the tokens that are the warp's: 64 elements of a head by every 8 / (headDim / 64)-th 32 tokens. Rows of fragment i are elements
    /// 8g + 2i and, behind them, the next ones; columns are heads.
    /// </summary>
    internal static void AddValues<THead, TReferences>(in LatentArguments arguments, int head, int count, LatentShared tables, ArrayView<Float4> sums)
        where THead : struct, IHead
        where TReferences : struct, LatentDecodeKernel.IReferences
    {
        var pool = arguments.Pool;
        var neighbours = pool.LayerCodes[arguments.Layer].Neighbours;
        var warp = Group.IdxX >> 5;
        var lane = Warp.LaneIdx & 3;
        var group = Warp.LaneIdx >> 2;
        var element = (64 * (warp % (THead.Dim / 64))) + (8 * group);
        var own = tables.Weights.SubView((group * LatentShared.WeightStride) + lane);
        var loaded = LocalMemory.Allocate<UInt4>(16);
        var values = LocalMemory.Allocate<uint>(16);
        for (var block = warp / (THead.Dim / 64); block < (count + 31) >> 5; block += LatentDecodeKernel.Warps / (THead.Dim / 64))
        {
            for (var sixteen = 2 * block; sixteen < (2 * block) + 2; sixteen++)
            {
                // Tokens 0, 1, 8 and 9 from there; all loads before the first use.
                var token = (16 * sixteen) + (2 * lane);
                for (var i = 0; i < Unroll.Full(16); i++)
                {
                    var row = (long)tables.References[(4 * (token + ((i >> 2) & 1) + (8 * (i >> 3)))) + (i & 3)] * pool.ReferenceWords;
                    loaded[i] = ReferenceRow.LoadEight(
                        pool.References, row, TReferences.Bits, 2 * pool.KeyHeads, THead.Dim, pool.KeyHeads + head, element);
                }

                for (var i = 0; i < Unroll.Full(16); i++)
                    values[i] = 0;
                for (var i = 0; i < Unroll.Full(16); i++)
                    AddFour(loaded[i], Weight(i & 3, neighbours), values, 4 * (i >> 2));
                var weights = new UInt2(own[8 * sixteen], own[(8 * sixteen) + 4]);
                for (var i = 0; i < Unroll.Full(4); i++)
                    sums[i] = Mma.Half(DecodeAttentionKernel.Columns(values[i], values[4 + i], values[8 + i], values[12 + i]), weights, sums[i]);
            }
        }
    }

    private static Half2 Weight(int n, int count)
    {
        var weight = n < count ? 1f / count : 0f;
        return Half2.FromSingles(weight, weight);
    }

    private static void AddFour(UInt4 eight, Half2 weight, ArrayView<uint> sums, int at)
    {
        sums[at] = Half2.FusedMultiplyAdd(new Half2(eight.X), weight, new Half2(sums[at])).Bits;
        sums[at + 1] = Half2.FusedMultiplyAdd(new Half2(eight.Y), weight, new Half2(sums[at + 1])).Bits;
        sums[at + 2] = Half2.FusedMultiplyAdd(new Half2(eight.Z), weight, new Half2(sums[at + 2])).Bits;
        sums[at + 3] = Half2.FusedMultiplyAdd(new Half2(eight.W), weight, new Half2(sums[at + 3])).Bits;
    }
}
