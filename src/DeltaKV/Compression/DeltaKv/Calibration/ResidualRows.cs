using System.Numerics.Tensors;
using DeltaKV.Compression.Codes.Storage;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What is left of a document's rows when the mean of each row's nearest earlier references, as they are stored, is subtracted.</summary>
internal static class ResidualRows
{
    /// <summary>Residuals <c>[tokens, width]</c>; sinks, which are never coded, keep their rows.</summary>
    /// <param name="rows">Kv before RoPE <c>[tokens, width]</c>.</param>
    /// <param name="width">Elements of a row.</param>
    /// <param name="headDim">Elements of a head: a stored reference has a step for each head's keys and values.</param>
    /// <param name="options">Where references are, and their bits.</param>
    /// <param name="neighbours">References of a token.</param>
    public static float[] Of(ReadOnlySpan<float> rows, int width, int headDim, CodedKvOptions options, int neighbours)
    {
        var tokens = rows.Length / width;
        var result = rows.ToArray();
        var references = new List<float[]>();
        var norms = new List<float>();
        for (var token = options.Sinks; token < tokens; token++)
        {
            var row = rows.Slice(token * width, width);
            var residual = result.AsSpan(token * width, width);
            if ((token - options.Sinks) % options.ReferenceStride == 0)
            {
                // A reference is its own only reference: what its rounding lost is left of it.
                references.Add(Stored(row, headDim, options.ReferenceBits));
                norms.Add(TensorPrimitives.SumOfSquares<float>(references[^1]));
                TensorPrimitives.Subtract(row, references[^1], residual);
                continue;
            }

            var nearest = new PriorityQueue<int, float>();
            for (var index = 0; index < norms.Count; index++)
            {
                // The largest 2 a.b - |b|^2 is the smallest distance; the queue gives up the worst first.
                nearest.Enqueue(index, 2 * TensorPrimitives.Dot(row, references[index]) - norms[index]);
                if (nearest.Count > neighbours)
                    nearest.Dequeue();
            }

            foreach (var (index, _) in nearest.UnorderedItems)
                TensorPrimitives.MultiplyAdd(references[index], -1f / nearest.Count, residual, residual);
        }

        return result;
    }

    /// <summary>A row as a reference of so many bits holds it; 16 bits hold it as it is, but for a part in two thousand.</summary>
    private static float[] Stored(ReadOnlySpan<float> row, int headDim, int bits)
    {
        var result = row.ToArray();
        for (var part = 0; part < row.Length && bits < 16; part += headDim)
        {
            var values = result.AsSpan(part, headDim);
            var zero = (float)(Half)TensorPrimitives.Min<float>(values);
            var step = (float)(Half)((TensorPrimitives.Max<float>(values) - zero) / ((1 << bits) - 1));
            foreach (ref var value in values)
                value = step > 0 ? zero + (step * Math.Clamp(MathF.Round((value - zero) / step), 0, (1 << bits) - 1)) : zero;
        }

        return result;
    }
}
