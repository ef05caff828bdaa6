using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>
/// Mixes the channels of a head by the orthogonal Hadamard matrix, which is its own inverse: outliers are spread before they are quantised. Keys and queries are mixed alike, so
/// scores stay; outputs are mixed back once.
/// </summary>
/// <remarks>A butterfly per bit of the channel's number, <c>(a, b) -> (a + b, a - b)</c>, whatever registers and lanes hold the channels. Source: Ashkboos et al., QuaRot, 2024.</remarks>
internal static class KiviRotation
{
    /// <summary>A row of which lane l holds channels <c>l n .. l n + n - 1</c>, n = d / 32: bf16 to halves, or halves back to bf16.</summary>
    internal static void Row<THead>(ArrayView<uint> source, ArrayView<uint> target, bool isBack)
        where THead : struct, IHead
    {
        var channels = LocalMemory.Allocate<float>(THead.Dim / 32);
        for (var w = 0; w < Unroll.Full(THead.Dim / 64); w++)
            Widen(source[w], isBack, channels, 2 * w);
        for (var bit = 1; bit < Unroll.Full(THead.Dim / 32); bit <<= 1)
            Butterflies(channels, THead.Dim / 32, bit);
        for (var i = 0; i < Unroll.Full(THead.Dim / 32); i++)
        {
            for (var stage = 0; stage < Unroll.Full(5); stage++)
                channels[i] = Across(channels[i], 1 << stage);
            channels[i] *= Scale<THead>();
        }

        for (var w = 0; w < Unroll.Full(THead.Dim / 64); w++)
            target[w] = KiviPair.Round(channels[2 * w], channels[(2 * w) + 1], !isBack);
    }

    /// <summary>A row of halves of which lane t of four holds channels <c>32j + 8t .. 32j + 8t + 7</c>.</summary>
    internal static void Query<THead>(ArrayView<UInt4> queries)
        where THead : struct, IHead
    {
        var channels = LocalMemory.Allocate<float>(THead.Dim / 4);
        for (var j = 0; j < Unroll.Full(THead.Dim / 32); j++)
        {
            Widen(queries[j].X, true, channels, 8 * j);
            Widen(queries[j].Y, true, channels, (8 * j) + 2);
            Widen(queries[j].Z, true, channels, (8 * j) + 4);
            Widen(queries[j].W, true, channels, (8 * j) + 6);
        }

        for (var bit = 1; bit < Unroll.Full(THead.Dim / 4); bit <<= 1)
            Butterflies(channels, THead.Dim / 4, bit);
        for (var i = 0; i < Unroll.Full(THead.Dim / 4); i++)
            channels[i] = Across(Across(channels[i], 1), 2) * Scale<THead>();
        for (var j = 0; j < Unroll.Full(THead.Dim / 32); j++)
        {
            queries[j] = new UInt4(
                KiviPair.Round(channels[8 * j], channels[(8 * j) + 1], true),
                KiviPair.Round(channels[(8 * j) + 2], channels[(8 * j) + 3], true),
                KiviPair.Round(channels[(8 * j) + 4], channels[(8 * j) + 5], true),
                KiviPair.Round(channels[(8 * j) + 6], channels[(8 * j) + 7], true));
        }
    }

    /// <summary>Fragments of outputs as <see cref="KiviFragments.AddValues"/> leaves them: columns are heads, rows <c>32 (i / 2) + 4g + 2 (i % 2)</c> and the next.</summary>
    internal static void Output<THead>(ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
        {
            var sum = sums[i];
            sum = new Float4(sum.X + sum.Z, sum.Y + sum.W, sum.X - sum.Z, sum.Y - sum.W);
            for (var stage = 0; stage < Unroll.Full(3); stage++)
                sum = new Float4(Across(sum.X, 4 << stage), Across(sum.Y, 4 << stage), Across(sum.Z, 4 << stage), Across(sum.W, 4 << stage));
            sums[i] = new Float4(sum.X * Scale<THead>(), sum.Y * Scale<THead>(), sum.Z * Scale<THead>(), sum.W * Scale<THead>());
        }

        for (var bit = 1; bit < Unroll.Full(THead.Dim / 16); bit <<= 1)
        {
            for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
            {
                if ((i & bit) == 0)
                {
                    var (a, b) = (sums[i], sums[i + bit]);
                    sums[i] = new Float4(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);
                    sums[i + bit] = new Float4(a.X - b.X, a.Y - b.Y, a.Z - b.Z, a.W - b.W);
                }
            }
        }
    }

    private static float Scale<THead>()
        where THead : struct, IHead => THead.Dim == 64 ? 0.125f : 0.088388346f;

    private static void Widen(uint pair, bool isHalf, ArrayView<float> channels, int at)
    {
        var numbers = KiviPair.Widen(pair, isHalf);
        channels[at] = numbers.X;
        channels[at + 1] = numbers.Y;
    }

    private static void Butterflies(ArrayView<float> values, int count, int bit)
    {
        for (var i = 0; i < Unroll.Full(count); i++)
        {
            if ((i & bit) == 0)
            {
                var (a, b) = (values[i], values[i + bit]);
                values[i] = a + b;
                values[i + bit] = a - b;
            }
        }
    }

    /// <summary>The butterfly of two lanes.</summary>
    private static float Across(float value, int mask)
    {
        var other = Warp.ShuffleXor(value, mask);
        return (Warp.LaneIdx & mask) == 0 ? value + other : other - value;
    }
}
