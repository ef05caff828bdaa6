using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>The references of a tile's tokens: their keys are added to reconstructed keys, their values are summed with the tokens' weights.</summary>
internal static class LatentReferences
{
    /// <summary>Notes where the references of the warp's tokens are <c>[token][4]</c>, in rows, and asks for the head's part of them in L2.</summary>
    internal static void Find<TShape>(in LatentArguments arguments, LatentPlan plan, int sequence, int head, LatentShared tables, int firstWord)
        where TShape : struct, IHeadShape
    {
        var pool = arguments.Pool;
        var code = pool.LayerCodes[arguments.Layer];
        var codes = tables.Codes.SubView((long)(firstWord + ((Group.IdxX & ~31) * 4 * arguments.TokenPieces) + (4 * Warp.LaneIdx)));
        for (var n = 0; n < code.Neighbours; n++)
        {
            var at = plan.IdWord + (n >> 1);
            var word = codes[((at >> 2) * LatentDecodeKernel.WarpTokens * 4) + (at & 3)];
            var ordinal = (int)((n & 1) == 0 ? word & 0xffff : word >> 16);
            // Behind the last token ids are zeros, and the first reference is there if any token is.
            var row = pool.ReferenceOf(code, sequence, ordinal);
            tables.References[(4 * Group.IdxX) + n] = (int)(row / pool.ReferenceWords);
            if (pool.ReferenceBits == 16)
            {
                var source = pool.References.Cast<UInt4>().SubView((row >> 2) + (head * (TShape.HeadDim / 8)));
                for (var line = 0; line < TShape.HeadDim / 64; line++)
                {
                    Cached.PrefetchL2(ref source[8 * line]);
                    Cached.PrefetchL2(ref source[(arguments.KeyHeads * (TShape.HeadDim / 8)) + (8 * line)]);
                }
            }
        }
    }

    /// <summary>Adds the mean of a token's references: eight elements of the keys from one on, and their partners in the upper half of the head.</summary>
    internal static void Add<TShape>(
        CodePoolView pool, int layer, int head, int element, ArrayView<int> rows, int token, int at, ArrayView<uint> sums)
        where TShape : struct, IHeadShape
    {
        var count = pool.LayerCodes[layer].Neighbours;
        var weight = Weight(count);
        for (var n = 0; n < Unroll.Full(4); n++)
        {
            if (n < count)
            {
                var row = (long)rows[(4 * token) + n] * pool.ReferenceWords;
                var low = ReferenceRow.LoadEight(pool.References, row, pool.ReferenceBits, 2 * pool.KeyHeads, TShape.HeadDim, head, element);
                var high = ReferenceRow.LoadEight(pool.References, row, pool.ReferenceBits, 2 * pool.KeyHeads, TShape.HeadDim, head, element + (TShape.HeadDim / 2));
                AddFour(low, weight, sums, at);
                AddFour(high, weight, sums, at + 4);
            }
        }
    }

    /// <summary>
    /// Adds the weighted values of the references of the tokens that are the warp's: 64 elements of a head by every 8 / (headDim / 64)-th 32 tokens. Rows of fragment i are elements
    /// 8g + 2i and, behind them, the next ones; columns are heads.
    /// </summary>
    internal static void AddValues<TShape>(in LatentArguments arguments, int head, int count, LatentShared tables, ArrayView<Float4> sums)
        where TShape : struct, IHeadShape
    {
        var pool = arguments.Pool;
        var warp = Group.IdxX >> 5;
        var lane = Warp.LaneIdx & 3;
        var group = Warp.LaneIdx >> 2;
        var element = (64 * (warp % (TShape.HeadDim / 64))) + (8 * group);
        var own = tables.Weights.SubView((group * LatentShared.WeightStride) + lane);
        var values = LocalMemory.Allocate<uint>(16);
        for (var block = warp / (TShape.HeadDim / 64); block < (count + 31) >> 5; block += LatentDecodeKernel.Warps / (TShape.HeadDim / 64))
        {
            for (var sixteen = 2 * block; sixteen < (2 * block) + 2; sixteen++)
            {
                var token = (16 * sixteen) + (2 * lane);
                for (var i = 0; i < Unroll.Full(16); i++)
                    values[i] = 0;
                Mean<TShape>(pool, arguments.Layer, head, element, tables.References, token, 0, values);
                Mean<TShape>(pool, arguments.Layer, head, element, tables.References, token + 1, 4, values);
                Mean<TShape>(pool, arguments.Layer, head, element, tables.References, token + 8, 8, values);
                Mean<TShape>(pool, arguments.Layer, head, element, tables.References, token + 9, 12, values);
                var weights = new UInt2(own[8 * sixteen], own[(8 * sixteen) + 4]);
                for (var i = 0; i < Unroll.Full(4); i++)
                {
                    sums[i] = Mma.Half(
                        new UInt4(
                            Bytes.PackLow(values[i], values[4 + i]), Bytes.PackHigh(values[i], values[4 + i]),
                            Bytes.PackLow(values[8 + i], values[12 + i]), Bytes.PackHigh(values[8 + i], values[12 + i])),
                        weights,
                        sums[i]);
                }
            }
        }
    }

    /// <summary>Adds the mean of eight elements of the values of a token's references.</summary>
    private static void Mean<TShape>(
        CodePoolView pool, int layer, int head, int element, ArrayView<int> rows, int token, int at, ArrayView<uint> sums)
        where TShape : struct, IHeadShape
    {
        var count = pool.LayerCodes[layer].Neighbours;
        var weight = Weight(count);
        for (var n = 0; n < Unroll.Full(4); n++)
        {
            if (n < count)
            {
                var row = (long)rows[(4 * token) + n] * pool.ReferenceWords;
                AddFour(
                    ReferenceRow.LoadEight(pool.References, row, pool.ReferenceBits, 2 * pool.KeyHeads, TShape.HeadDim, pool.KeyHeads + head, element), weight, sums, at);
            }
        }
    }

    private static Half2 Weight(int count) => Half2.FromSingles(1f / count, 1f / count);

    private static void AddFour(UInt4 eight, Half2 weight, ArrayView<uint> sums, int at)
    {
        sums[at] = Half2.FusedMultiplyAdd(new Half2(eight.X), weight, new Half2(sums[at])).Bits;
        sums[at + 1] = Half2.FusedMultiplyAdd(new Half2(eight.Y), weight, new Half2(sums[at + 1])).Bits;
        sums[at + 2] = Half2.FusedMultiplyAdd(new Half2(eight.Z), weight, new Half2(sums[at + 2])).Bits;
        sums[at + 3] = Half2.FusedMultiplyAdd(new Half2(eight.W), weight, new Half2(sums[at + 3])).Bits;
    }
}
