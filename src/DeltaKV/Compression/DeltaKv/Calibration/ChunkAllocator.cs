using System.Collections.Immutable;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Shares a byte budget per token among layers, and within a layer among widths, so that the total error is least.</summary>
/// <remarks>
/// Storage comes in chunks of 16 bytes that hold 16, 32 or 64 dimensions. Within a layer dimensions keep their order, the widest chunks
/// first; every split of a chunk count into widths is tried, for every option of the layer. Over layers the shares are found by dynamic
/// programming, so the result is optimal for the given errors, not merely greedy. Chunks of 3 bits are not among the choices: they lower the error of
/// needle-16m's transforms by less than a hundredth, whatever the budget.
/// </remarks>
internal static class ChunkAllocator
{
    /// <summary>A chunk's size.</summary>
    public const int ChunkBytes = 16;

    // Overheads are no multiples of chunks: shares are counted in words.
    private const int UnitBytes = 4;

    /// <summary>The option and the chunks of each layer that leave the least error over all layers.</summary>
    /// <param name="layers">Options by layer; a layer without any stores nothing.</param>
    /// <param name="bytesPerToken">Budget over all layers, overheads included.</param>
    /// <exception cref="ArgumentException">The budget does not hold the overheads.</exception>
    public static LayerAllocation[] Allocate(IReadOnlyList<IReadOnlyList<LayerOption>> layers, int bytesPerToken)
    {
        var budget = bytesPerToken / UnitBytes;
        var choices = layers.Select(options => Choices(options, bytesPerToken)).ToArray();
        var least = new double[budget + 1];
        var taken = new int[layers.Count][];
        for (var layer = 0; layer < layers.Count; layer++)
        {
            var next = new double[budget + 1];
            taken[layer] = new int[budget + 1];
            for (var total = 0; total <= budget; total++)
            {
                next[total] = double.PositiveInfinity;
                for (var i = 0; i < choices[layer].Count; i++)
                {
                    var left = total - choices[layer][i].Units;
                    if (left >= 0 && least[left] + choices[layer][i].Error < next[total])
                        (next[total], taken[layer][total]) = (least[left] + choices[layer][i].Error, i);
                }
            }

            least = next;
        }

        if (double.IsInfinity(least[budget]))
        {
            throw new ArgumentException(
                $"{bytesPerToken} bytes per token do not hold the references and ids of {layers.Count(options => options.Count > 0)} layers. Use a larger budget, a larger stride, or no references.",
                nameof(bytesPerToken));
        }

        var result = new LayerAllocation[layers.Count];
        for (var (layer, left) = (layers.Count - 1, budget); layer >= 0; layer--)
        {
            var choice = choices[layer][taken[layer][left]];
            result[layer] = choice.Allocation;
            left -= choice.Units;
        }

        return result;
    }

    /// <summary>Every option with every number of chunks that the budget could hold.</summary>
    private static List<(int Units, double Error, LayerAllocation Allocation)> Choices(IReadOnlyList<LayerOption> options, int budget)
    {
        if (options.Count == 0)
            return [(0, 0, new LayerAllocation(-1, []))];
        var result = new List<(int, double, LayerAllocation)>();
        for (var option = 0; option < options.Count; option++)
        {
            var overhead = (options[option].OverheadBytes + UnitBytes - 1) / UnitBytes;
            var splits = Splits(options[option].Rates, Math.Max(0, budget - (overhead * UnitBytes)) / ChunkBytes);
            for (var count = 0; count < splits.Length; count++)
                result.Add((overhead + (count * ChunkBytes / UnitBytes), splits[count].Error, new LayerAllocation(option, splits[count].Chunks)));
        }

        return result;
    }

    /// <summary>The best split of every chunk count up to a budget, or to where every dimension has 8 bits.</summary>
    private static (double Error, ImmutableArray<ChunkWidth> Chunks)[] Splits(DimensionRate[] rates, int budget)
    {
        var nothing = Cumulative(rates, rate => rate.Nothing);
        var at2 = Cumulative(rates, rate => rate.At2.Error);
        var at4 = Cumulative(rates, rate => rate.At4.Error);
        var at8 = Cumulative(rates, rate => rate.At8.Error);
        var most = Math.Min(budget, (rates.Length + 15) / 16);
        var result = new (double Error, ImmutableArray<ChunkWidth> Chunks)[most + 1];
        for (var count = 0; count <= most; count++)
        {
            var best = (Error: double.PositiveInfinity, Bytes: 0, Nibbles: 0);
            for (var bytes = 0; bytes <= count; bytes++)
            {
                for (var nibbles = 0; nibbles <= count - bytes; nibbles++)
                {
                    var first = Math.Min(rates.Length, 16 * bytes);
                    var second = Math.Min(rates.Length, first + 32 * nibbles);
                    var third = Math.Min(rates.Length, second + 64 * (count - bytes - nibbles));
                    var error = at8[first] + at4[second] - at4[first] + at2[third] - at2[second] + nothing[^1] - nothing[third];
                    if (error < best.Error)
                        best = (error, bytes, nibbles);
                }
            }

            result[count] = (best.Error,
            [
                .. Enumerable.Repeat(ChunkWidth.Bits8, best.Bytes), .. Enumerable.Repeat(ChunkWidth.Bits4, best.Nibbles),
                .. Enumerable.Repeat(ChunkWidth.Bits2, count - best.Bytes - best.Nibbles),
            ]);
        }

        return result;
    }

    private static double[] Cumulative(DimensionRate[] rates, Func<DimensionRate, double> error)
    {
        var sums = new double[rates.Length + 1];
        for (var i = 0; i < rates.Length; i++)
            sums[i + 1] = sums[i] + error(rates[i]);
        return sums;
    }
}
