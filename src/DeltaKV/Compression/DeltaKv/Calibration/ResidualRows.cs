using System.Numerics.Tensors;
using DeltaKV.Compression.Codes.Storage;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What is left of a document's rows when the mean of each row's nearest earlier references is subtracted.</summary>
internal static class ResidualRows
{
    /// <summary>Residuals <c>[tokens, width]</c>; sinks, which are never coded, keep their rows.</summary>
    public static float[] Of(ReadOnlySpan<float> rows, int width, CodedKvOptions options, int neighbours)
    {
        var tokens = rows.Length / width;
        var result = rows.ToArray();
        var norms = new List<float>();
        for (var token = options.Sinks; token < tokens; token++)
        {
            var row = rows.Slice(token * width, width);
            if ((token - options.Sinks) % options.ReferenceStride == 0)
            {
                // A reference is its own only reference: nothing is left of it.
                norms.Add(TensorPrimitives.SumOfSquares(row));
                result.AsSpan(token * width, width).Clear();
                continue;
            }

            var nearest = new PriorityQueue<int, float>();
            for (var index = 0; index < norms.Count; index++)
            {
                var reference = Reference(rows, index, width, options);
                // The largest 2 a.b - |b|^2 is the smallest distance; the queue gives up the worst first.
                nearest.Enqueue(index, 2 * TensorPrimitives.Dot(row, reference) - norms[index]);
                if (nearest.Count > neighbours)
                    nearest.Dequeue();
            }

            var residual = result.AsSpan(token * width, width);
            foreach (var (index, _) in nearest.UnorderedItems)
                TensorPrimitives.MultiplyAdd(Reference(rows, index, width, options), -1f / nearest.Count, residual, residual);
        }

        return result;
    }

    private static ReadOnlySpan<float> Reference(ReadOnlySpan<float> rows, int index, int width, CodedKvOptions options) =>
        rows.Slice((options.Sinks + index * options.ReferenceStride) * width, width);
}
