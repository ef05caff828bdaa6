using System.Numerics.Tensors;
using DeltaKV.Evaluation;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>The leading eigenvectors of a symmetric positive matrix, the largest first, by iterating a block of vectors and orthogonalising them.</summary>
/// <remarks>Source: Golub and Van Loan, Matrix Computations, 8.2. Exact enough for the subspace's error long before single vectors are.</remarks>
internal static class OrthogonalIteration
{
    private const int Iterations = 20;

    /// <summary>Orthonormal rows <c>[count, width]</c>.</summary>
    internal static float[] Leading(float[] matrix, int width, int count, SeededRandom random)
    {
        var vectors = new float[count * width];
        foreach (ref var value in vectors.AsSpan())
            value = (float)random.NextNormal();
        Orthonormalise(vectors, width, random);
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            var next = new float[vectors.Length];
            var from = vectors;
            Parallel.For(0, count, i =>
            {
                for (var j = 0; j < width; j++)
                    next[(i * width) + j] = TensorPrimitives.Dot<float>(from.AsSpan(i * width, width), matrix.AsSpan(j * width, width));
            });
            vectors = next;
            Orthonormalise(vectors, width, random);
        }

        return vectors;
    }

    /// <summary>Gram and Schmidt, twice, for what rounding leaves; a vector that vanishes is drawn anew.</summary>
    private static void Orthonormalise(float[] vectors, int width, SeededRandom random)
    {
        for (var i = 0; i < vectors.Length / width; i++)
        {
            var vector = vectors.AsSpan(i * width, width);
            Scale(vector, random);
            for (var pass = 0; pass < 2; pass++)
            {
                for (var j = 0; j < i; j++)
                {
                    var other = vectors.AsSpan(j * width, width);
                    TensorPrimitives.MultiplyAdd(other, -TensorPrimitives.Dot<float>(vector, other), vector, vector);
                }

                Scale(vector, random);
            }
        }
    }

    private static void Scale(Span<float> vector, SeededRandom random)
    {
        var norm = TensorPrimitives.Norm<float>(vector);
        if (norm < 1e-12f)
        {
            foreach (ref var value in vector)
                value = (float)random.NextNormal();
            norm = TensorPrimitives.Norm<float>(vector);
        }

        TensorPrimitives.Divide(vector, norm, vector);
    }
}
