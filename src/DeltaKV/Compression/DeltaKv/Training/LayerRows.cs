using System.Numerics.Tensors;
using DeltaKV.Compression.Codes;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Rows of one layer and what they are coded against, in units of about the rows' root mean square, as pairs of halves.</summary>
/// <param name="Width">Elements of a row.</param>
/// <param name="Scale">The unit.</param>
/// <param name="Tokens"><c>[count, width]</c>.</param>
/// <param name="References"><c>[count, width]</c>: means of the nearest references, or the mean row.</param>
internal sealed record LayerRows(int Width, float Scale, uint[] Tokens, uint[] References)
{
    /// <summary>Number of rows.</summary>
    internal int Count => Tokens.Length / (Width / 2);

    /// <summary>Mean square of the tokens' elements, in these units.</summary>
    internal double MeanSquare
    {
        get
        {
            var sum = 0.0;
            foreach (var pair in Tokens)
            {
                var (low, high) = ((double)new Half2(pair).Low, (double)new Half2(pair).High);
                sum += (low * low) + (high * high);
            }

            return sum / (2.0 * Tokens.Length);
        }
    }

    /// <summary>Packs rows and references.</summary>
    internal static LayerRows Of(ReadOnlySpan<float> tokens, ReadOnlySpan<float> references, int width, float scale) =>
        new(width, scale, Pack(tokens, scale), Pack(references, scale));

    /// <summary>The power of two nearest to the root mean square of rows, so that folding it into matrices rounds nothing; 1 where they are all zero.</summary>
    internal static float ScaleOf(ReadOnlySpan<float> rows)
    {
        var square = Math.Sqrt((double)TensorPrimitives.SumOfSquares(rows) / rows.Length);
        return square > 0 ? (float)Math.Pow(2, Math.Round(Math.Log2(square))) : 1;
    }

    private static uint[] Pack(ReadOnlySpan<float> rows, float scale)
    {
        var packed = new uint[rows.Length / 2];
        for (var i = 0; i < packed.Length; i++)
            packed[i] = HalfRange.Pack(rows[2 * i] / scale, rows[(2 * i) + 1] / scale);
        return packed;
    }
}
