using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using static DeltaKV.Compression.Codes.CodeFragments;

namespace DeltaKV.Compression.Codes;

/// <summary>Reconstructs a tile: <c>kv = mean + mean_n reference_n + code up</c> for 16 tokens and one part (keys or values of a head), keys turned to their positions.</summary>
/// <remarks>
/// A warp's product of m = 16 tokens, n = head elements, k = dimensions in m16n8k16: lane (g, t) holds rows g and g + 8. A code word is the lane's share of a fragment, so
/// codes go from global memory to the tensor core with a mask and two packed operations per pair; the order of dimensions within a chunk makes it so, and the
/// up matrix lies in memory in the same order. Columns are ordered as <see cref="PairsPerPass"/> says: references are read and results
/// written 16 bytes at a time and RoPE stays in the lane. Moves per token and part: the record, 2 d bytes per reference (all from L2 after the first head), and
/// the up matrix per tile; <c>2 * dimensions * d</c> operations on the tensor cores.
/// </remarks>
internal static class CodedTile
{
    internal static void Load<THead>(CodePoolView pool, int layer, int sequence, int head, bool isValue, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead
    {
        var code = pool.LayerCodes[layer];
        var partIndex = isValue ? pool.KeyHeads + head : head;
        var part = pool.PartCodes[(layer * 2 * pool.KeyHeads) + partIndex];
        var group = Warp.LaneIdx >> 2;
        var record = pool.RecordOf(code, sequence, Math.Max(position, 0));
        var first = Warp.Shuffle(record, group);
        var second = Warp.Shuffle(record, group + 8);
        position = pool.PositionOf(sequence, position);
        var firstPosition = Warp.Shuffle(position, group);
        var secondPosition = Warp.Shuffle(position, group + 8);

        var sums = LocalMemory.Allocate<Float4>(2 * PairsPerPass(THead.Dim));
        var passes = THead.Dim / (16 * PairsPerPass(THead.Dim));
        for (var pass = 0; pass < passes; pass++)
        {
            var element = (pass * 8 * PairsPerPass(THead.Dim)) + ((Warp.LaneIdx & 3) * 2 * PairsPerPass(THead.Dim));
            StartAtMean<THead>(pool, ((layer * 2 * pool.KeyHeads) + partIndex) * (THead.Dim / 2) + (element >> 1), sums);
            var up = part.FirstUp + (pass * part.Steps * PairsPerPass(THead.Dim) * 32) + Warp.LaneIdx;
            CodeProduct.Add<THead>(pool, code, part, first, second, up, sums);
            for (var n = 0; n < code.Neighbours; n++)
            {
                var a = pool.ReferenceOf(code, sequence, Id(pool, first + code.IdWord, n, firstPosition));
                var b = pool.ReferenceOf(code, sequence, Id(pool, second + code.IdWord, n, secondPosition));
                AddReference<THead>(pool.References, pool.ReferenceBits, pool.KeyHeads, 1f / code.Neighbours, partIndex, element, a, b, sums);
            }

            if (code.Neighbours == LayerCode.Recomputed)
            {
                var words = (long)pool.KeyHeads * THead.Dim;
                var a = pool.TokenIds[(sequence * pool.TokenStride) + Math.Max(firstPosition, 0)] * words;
                var b = pool.TokenIds[(sequence * pool.TokenStride) + Math.Max(secondPosition, 0)] * words;
                AddReference<THead>(pool.TokenRows, 16, pool.KeyHeads, 1f, partIndex, element, a, b, sums);
            }

            if (!isValue)
                Rotate<THead>(pool, element, firstPosition, secondPosition, sums);
            Store<THead>(tile, group, element, firstPosition, secondPosition, sums);
        }
    }

    private static int Id(CodePoolView pool, long idWord, int n, int position)
    {
        var word = pool.Records[idWord + (n >> 1)];
        var id = (int)((n & 1) == 0 ? word & 0xffff : word >> 16);
        // What lies behind a missing token is not an id.
        return position < 0 ? 0 : id;
    }

    private static void StartAtMean<THead>(CodePoolView pool, int firstPair, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        for (var j = 0; j < Unroll.Full(PairsPerPass(THead.Dim)); j++)
        {
            var low = pool.Mean[firstPair + j];
            var high = pool.Mean[firstPair + (THead.Dim / 4) + j];
            sums[2 * j] = new Float4(low.X, low.Y, low.X, low.Y);
            sums[(2 * j) + 1] = new Float4(high.X, high.Y, high.X, high.Y);
        }
    }

    private static void AddReference<THead>(
        ArrayView<uint> rows, int bits, int keyHeads, float weight, int part, int element, long first, long second, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        for (var half = 0; half < Unroll.Full(2); half++)
        {
            var at = element + (half * (THead.Dim / 2));
            if (PairsPerPass(THead.Dim) == 4)
            {
                var a = ReferenceRow.LoadEight(rows, first, bits, 2 * keyHeads, THead.Dim, part, at);
                var b = ReferenceRow.LoadEight(rows, second, bits, 2 * keyHeads, THead.Dim, part, at);
                sums[half] = Plus(sums[half], a.X, b.X, weight);
                sums[2 + half] = Plus(sums[2 + half], a.Y, b.Y, weight);
                sums[4 + half] = Plus(sums[4 + half], a.Z, b.Z, weight);
                sums[6 + half] = Plus(sums[6 + half], a.W, b.W, weight);
            }
            else
            {
                // Heads of 80 and 96 have 16-bit references only.
                var word = ((part * THead.Dim) + at) >> 1;
                for (var j = 0; j < Unroll.Full(PairsPerPass(THead.Dim)); j++)
                {
                    var a = rows[first + word + j];
                    var b = rows[second + word + j];
                    sums[(2 * j) + half] = Plus(sums[(2 * j) + half], a, b, weight);
                }
            }
        }
    }

    private static Float4 Plus(Float4 sum, uint first, uint second, float weight)
    {
        var a = new Half2(first);
        var b = new Half2(second);
        return new Float4(
            FastMath.Fma(a.Low, weight, sum.X), FastMath.Fma(a.High, weight, sum.Y), FastMath.Fma(b.Low, weight, sum.Z), FastMath.Fma(b.High, weight, sum.W));
    }

    private static void Rotate<THead>(CodePoolView pool, int element, int firstPosition, int secondPosition, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        for (var j = 0; j < Unroll.Full(PairsPerPass(THead.Dim)); j++)
        {
            var x = sums[2 * j];
            var y = sums[(2 * j) + 1];
            var even = pool.InverseFrequencies[element + (2 * j)];
            var odd = pool.InverseFrequencies[element + (2 * j) + 1];
            var a = RopeRotation.Of(firstPosition * even, pool.RopeScale);
            var b = RopeRotation.Of(firstPosition * odd, pool.RopeScale);
            var c = RopeRotation.Of(secondPosition * even, pool.RopeScale);
            var d = RopeRotation.Of(secondPosition * odd, pool.RopeScale);
            sums[2 * j] = new Float4(
                (x.X * a.X) - (y.X * a.Y), (x.Y * b.X) - (y.Y * b.Y), (x.Z * c.X) - (y.Z * c.Y), (x.W * d.X) - (y.W * d.Y));
            sums[(2 * j) + 1] = new Float4(
                (y.X * a.X) + (x.X * a.Y), (y.Y * b.X) + (x.Y * b.Y), (y.Z * c.X) + (x.Z * c.Y), (y.W * d.X) + (x.W * d.Y));
        }
    }

    private static void Store<THead>(ArrayView<UInt4> tile, int row, int element, int firstPosition, int secondPosition, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        // Rows of missing tokens become zeros: their scores are masked, and 0 * garbage could be NaN.
        var first = firstPosition < 0 ? 0u : 0xffffffffu;
        var second = secondPosition < 0 ? 0u : 0xffffffffu;
        for (var half = 0; half < Unroll.Full(2); half++)
        {
            var at = element + (half * (THead.Dim / 2));
            if (PairsPerPass(THead.Dim) == 4)
            {
                var chunk = (row * ((THead.Dim / 8) + 1)) + (at >> 3);
                tile[chunk] = new UInt4(
                    Low(sums[half]) & first, Low(sums[2 + half]) & first, Low(sums[4 + half]) & first, Low(sums[6 + half]) & first);
                tile[chunk + (8 * ((THead.Dim / 8) + 1))] = new UInt4(
                    High(sums[half]) & second, High(sums[2 + half]) & second, High(sums[4 + half]) & second, High(sums[6 + half]) & second);
            }
            else
            {
                var words = tile.Cast<uint>();
                var word = (row * 4 * ((THead.Dim / 8) + 1)) + (at >> 1);
                for (var j = 0; j < Unroll.Full(PairsPerPass(THead.Dim)); j++)
                {
                    words[word + j] = Low(sums[(2 * j) + half]) & first;
                    words[word + (32 * ((THead.Dim / 8) + 1)) + j] = High(sums[(2 * j) + half]) & second;
                }
            }
        }
    }

    private static uint Low(Float4 sum) => BFloat16x2.FromSingles(sum.X, sum.Y).Bits;

    private static uint High(Float4 sum) => BFloat16x2.FromSingles(sum.Z, sum.W).Bits;
}
