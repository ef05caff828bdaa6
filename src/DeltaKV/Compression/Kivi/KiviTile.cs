using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using Half = DeltaKV.Gpu.Half;

namespace DeltaKV.Compression.Kivi;

/// <summary>Reconstructs a tile of any 16 tokens: <c>x = step * integer + zero</c> in fp32, rounded to bf16 once.</summary>
/// <remarks>
/// Eight channels of a token per lane and access. Keys of them lie together; values in two places, beside the same channels of other tokens: neighbours in a tile share
/// those lines. Rotated rows are mixed back in shared memory. Moves the codes and scales of the tokens and, for scattered ones, what shares their sectors.
/// </remarks>
internal static class KiviTile
{
    internal static void Load<TShape>(KiviPool pool, KiviLayer layer, int sequence, int head, bool isValue, int position, ArrayView<UInt4> tile)
        where TShape : struct, IHeadShape
    {
        var isRotated = layer.IsRotated != 0;
        var chunks = TShape.HeadDim / 8;
        var bits = isValue ? layer.ValueBits : layer.KeyBits;
        var first = pool.HeadOf(layer, KiviLayout.HeadUnits(TShape.HeadDim, layer.KeyBits, layer.ValueBits), sequence, Math.Max(position, 0), head)
            + (isValue ? KiviLayout.ValueUnit(TShape.HeadDim, layer.KeyBits) : 0);
        for (var i = 0; i < Unroll.Full(TShape.HeadDim / 16); i++)
        {
            var piece = Warp.LaneIdx + (32 * i);
            var row = piece / chunks;
            var chunk = piece % chunks;
            var slot = Warp.Shuffle(position, row);
            var source = pool.Units.SubView(Warp.Shuffle(first, row));
            var value = new UInt4(0, 0, 0, 0);
            if (slot >= 0)
            {
                var words = source.Cast<uint>();
                var scales = source.SubView(KiviLayout.CodeUnits(TShape.HeadDim, bits));
                value = isValue
                    ? Value<TShape>(words, scales.Cast<ushort>(), bits, slot & 31, chunk, isRotated)
                    : Key<TShape>(words, scales, bits, slot & 31, chunk, isRotated);
            }

            tile[(row * (chunks + 1)) + chunk] = value;
        }

        if (!isRotated)
            return;
        Warp.Barrier();
        if (TShape.HeadDim == 64)
            RotateBack<Heads.Of64>(tile.Cast<uint>());
        else
            RotateBack<Heads.Of128>(tile.Cast<uint>());
    }

    /// <summary>Mixes the channels of the tile's rows back, halves to bf16.</summary>
    private static void RotateBack<THead>(ArrayView<uint> tile)
        where THead : struct, IHead
    {
        var channels = LocalMemory.Allocate<float>(THead.Dim / 32);
        for (var row = 0; row < 16; row++)
        {
            var own = tile.SubView((row * ((THead.Dim / 2) + 4)) + (Warp.LaneIdx * (THead.Dim / 64)));
            for (var w = 0; w < Unroll.Full(THead.Dim / 64); w++)
            {
                var pair = new Half2(own[w]);
                channels[2 * w] = pair.Low;
                channels[(2 * w) + 1] = pair.High;
            }

            KiviRotation.Row<THead>(channels);
            for (var w = 0; w < Unroll.Full(THead.Dim / 64); w++)
                own[w] = BFloat16x2.FromSingles(channels[2 * w], channels[(2 * w) + 1]).Bits;
        }
    }

    private static uint Rounded(float low, float high, bool isHalf) =>
        isHalf ? Half2.FromSingles(low, high).Bits : BFloat16x2.FromSingles(low, high).Bits;

    /// <summary>Channels 8 chunk to 8 chunk + 7 of a key.</summary>
    private static UInt4 Key<TShape>(ArrayView<uint> words, ArrayView<UInt4> scales, int bits, int slot, int chunk, bool isHalf)
        where TShape : struct, IHeadShape
    {
        var lane = ((slot & 7) * 4) + (chunk & 3);
        var pair = ((slot >> 3) * (TShape.HeadDim / 8)) + (4 * (chunk >> 2));
        var steps = scales[chunk];
        var zeros = scales[(TShape.HeadDim / 8) + chunk];
        return new UInt4(
            Pair(words, lane, pair, bits, steps.X, zeros.X, isHalf),
            Pair(words, lane, pair + 1, bits, steps.Y, zeros.Y, isHalf),
            Pair(words, lane, pair + 2, bits, steps.Z, zeros.Z, isHalf),
            Pair(words, lane, pair + 3, bits, steps.W, zeros.W, isHalf));
    }

    private static uint Pair(ArrayView<uint> words, int lane, int pair, int bits, uint steps, uint zeros, bool isHalf)
    {
        var integers = Integers(words, lane, pair, bits);
        var unit = (float)(1 << KiviLayout.Offset(bits, pair));
        var step = new Half2(steps);
        var zero = new Half2(zeros);
        var mask = (1u << bits) - 1;
        return Rounded(
            FastMath.Fma(integers & mask, step.Low * unit, zero.Low), FastMath.Fma((integers >> 16) & mask, step.High * unit, zero.High), isHalf);
    }

    /// <summary>Channels 8 chunk to 8 chunk + 7 of a value: four each of two lanes.</summary>
    private static UInt4 Value<TShape>(ArrayView<uint> words, ArrayView<ushort> scales, int bits, int slot, int chunk, bool isHalf)
        where TShape : struct, IHeadShape
    {
        var channels = chunk >> 2;
        var at = KiviLayout.ValueScale(channels, slot);
        var pair = (16 * channels) + (slot >> 3);
        var step = Half.FromBits(scales[at]).ToSingle() * (1 << KiviLayout.Offset(bits, slot >> 3));
        var zero = Half.FromBits(scales[TShape.HeadDim + at]).ToSingle();
        var lane = (8 * (chunk & 3)) + ((slot >> 1) & 3);
        var shift = 16 * (slot & 1);
        return new UInt4(
            Two(words, lane, pair, bits, shift, step, zero, isHalf),
            Two(words, lane, pair + 8, bits, shift, step, zero, isHalf),
            Two(words, lane + 4, pair, bits, shift, step, zero, isHalf),
            Two(words, lane + 4, pair + 8, bits, shift, step, zero, isHalf));
    }

    private static uint Two(ArrayView<uint> words, int lane, int pair, int bits, int shift, float step, float zero, bool isHalf)
    {
        var mask = (1u << bits) - 1;
        var low = (Integers(words, lane, pair, bits) >> shift) & mask;
        var high = (Integers(words, lane, pair + 4, bits) >> shift) & mask;
        return Rounded(FastMath.Fma(low, step, zero), FastMath.Fma(high, step, zero), isHalf);
    }

    /// <summary>A pair of a lane in bits 0 and 16 and those above.</summary>
    private static uint Integers(ArrayView<uint> words, int lane, int pair, int bits)
    {
        // 2, 4 or 8 pairs to a word.
        var shift = bits == 8 ? 1 : bits == 4 ? 2 : 3;
        return words[KiviLayout.WordOf(lane, pair >> shift)] >> (bits * (pair & ((1 << shift) - 1)));
    }
}
