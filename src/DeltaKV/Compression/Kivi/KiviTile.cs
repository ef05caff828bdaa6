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
    internal static void Load<THead>(KiviPool pool, KiviLayer layer, int sequence, int head, bool isValue, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead
    {
        var isRotated = layer.IsRotated != 0;
        var chunks = THead.Dim / 8;
        var bits = layer.Bits(isValue);
        var first = pool.PartOf(layer, THead.Dim, sequence, Math.Max(position, 0), head, isValue);
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
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
                var scales = source.SubView(KiviLayout.CodeUnits(THead.Dim, bits));
                value = isValue
                    ? Value<THead>(words, scales.Cast<ushort>(), bits, slot & 31, chunk, isRotated)
                    : Key<THead>(words, scales, bits, slot & 31, chunk, isRotated);
            }

            tile[(row * (chunks + 1)) + chunk] = value;
        }

        // Readers exist for heads that are never mixed, too.
        if (!isRotated || THead.Dim % 64 != 0)
            return;
        Warp.Barrier();
        var mixed = tile.Cast<uint>().SubView(Warp.LaneIdx * (THead.Dim / 64));
        for (var row = 0; row < 16; row++)
        {
            var own = mixed.SubView(row * ((THead.Dim / 2) + 4));
            KiviRotation.Row<THead>(own, own, true);
        }
    }

    /// <summary>Channels 8 chunk to 8 chunk + 7 of a key.</summary>
    private static UInt4 Key<THead>(ArrayView<uint> words, ArrayView<UInt4> scales, int bits, int slot, int chunk, bool isHalf)
        where THead : struct, IHead
    {
        var lane = KiviLayout.KeyLane(slot, chunk);
        var pair = KiviLayout.KeyPair(THead.Dim, slot, chunk);
        var steps = scales[chunk];
        var zeros = scales[(THead.Dim / 8) + chunk];
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
        return KiviPair.Round(
            FastMath.Fma(integers & mask, step.Low * unit, zero.Low), FastMath.Fma((integers >> 16) & mask, step.High * unit, zero.High), isHalf);
    }

    /// <summary>Channels 8 chunk to 8 chunk + 7 of a value: four each of two lanes.</summary>
    private static UInt4 Value<THead>(ArrayView<uint> words, ArrayView<ushort> scales, int bits, int slot, int chunk, bool isHalf)
        where THead : struct, IHead
    {
        var at = KiviLayout.ValueScale(chunk >> 2, slot);
        var pair = KiviLayout.ValuePair(slot, chunk);
        var step = Half.FromBits(scales[at]).ToSingle() * (1 << KiviLayout.Offset(bits, slot >> 3));
        var zero = Half.FromBits(scales[THead.Dim + at]).ToSingle();
        var lane = KiviLayout.ValueLane(slot, chunk);
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
        return KiviPair.Round(FastMath.Fma(low, step, zero), FastMath.Fma(high, step, zero), isHalf);
    }

    /// <summary>A pair of a lane in bits 0 and 16 and those above.</summary>
    private static uint Integers(ArrayView<uint> words, int lane, int pair, int bits) =>
        words[KiviLayout.WordOf(lane, KiviLayout.WordOfPair(bits, pair))] >> KiviLayout.BitOfPair(bits, pair);
}
