using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Eigenvalues and eigenvectors of a symmetric matrix, in falling order.</summary>
/// <remarks>
/// Householder reduction to a tridiagonal matrix, then implicit QL (Wilkinson and Reinsch, Handbook for Automatic Computation II, 1971: tred2, tql2), arranged for caches and
/// cores: one pass over a triangle per reflection, which subtracts the last reflection and multiplies by the next; rotations are gathered and applied to a few columns of the vectors at a time.
/// Results do not depend on the number of cores.
/// </remarks>
internal static class SymmetricEigen
{
    private const int MostSweeps = 60;
    private const int SlabColumns = 64;
    private const int RowsAtOnce = 8;
    private const int RotationsAtOnce = 16_384;

    /// <summary>Solves.</summary>
    /// <param name="matrix">Row-major, <c>[size, size]</c>; only the lower triangle is read, and it is overwritten.</param>
    /// <param name="size">Rows.</param>
    /// <returns>Eigenvalues, and for each a row of the matrix of unit eigenvectors <c>[size, size]</c>.</returns>
    /// <exception cref="ArithmeticException">The matrix holds something that is not a number.</exception>
    public static (double[] Values, double[] Vectors) Solve(double[] matrix, int size)
    {
        var (diagonal, off, norms) = (new double[size], new double[size], new double[size]);
        Tridiagonalise(matrix, size, diagonal, off, norms);
        var vectors = Reflections(matrix, size, norms);
        Diagonalise(diagonal, off, vectors, size);
        var order = Enumerable.Range(0, size).OrderByDescending(i => diagonal[i]).ToArray();
        var sorted = new double[vectors.Length];
        for (var i = 0; i < size; i++)
            vectors.AsSpan(order[i] * size, size).CopyTo(sorted.AsSpan(i * size));
        return ([.. order.Select(i => diagonal[i])], sorted);
    }

    /// <summary>Leaves the reflection of row i in its first i elements, and half its square norm in <paramref name="norms"/>; 0: none.</summary>
    private static void Tridiagonalise(double[] a, int n, double[] diagonal, double[] off, double[] norms)
    {
        var (last, q, p) = (Array.Empty<double>(), new double[n], new double[n]);
        for (var i = n - 1; i >= 1; i--)
        {
            var row = a.AsSpan(i * n, i + 1);
            if (last.Length > 0)
                Subtract(row, i, last, q);
            diagonal[i] = row[i];
            var u = row[..i];
            var (pivot, square) = (u[i - 1], TensorPrimitives.SumOfSquares<double>(u));
            // What is left of a row that is tridiagonal already needs no reflection.
            if (i == 1 || square - (pivot * pivot) <= square * 1e-32)
            {
                off[i] = pivot;
                norms[i] = 0;
                SubtractAll(a, n, i, last, q);
                last = [];
                continue;
            }

            var root = pivot >= 0 ? -Math.Sqrt(square) : Math.Sqrt(square);
            off[i] = root;
            norms[i] = square - (pivot * root);
            u[i - 1] = pivot - root;
            p.AsSpan(0, i).Clear();
            for (var r = 0; r < i; r++)
            {
                var other = a.AsSpan(r * n, r + 1);
                if (last.Length > 0)
                    Subtract(other, r, last, q);
                p[r] += TensorPrimitives.Dot<double>(other, u[..(r + 1)]);
                TensorPrimitives.MultiplyAdd<double>(other[..r], u[r], p.AsSpan(0, r), p.AsSpan(0, r));
            }

            last = [.. u];
            TensorPrimitives.Multiply<double>(p.AsSpan(0, i), 1 / norms[i], p.AsSpan(0, i));
            var half = TensorPrimitives.Dot<double>(u, p.AsSpan(0, i)) / (2 * norms[i]);
            TensorPrimitives.MultiplyAdd<double>(u, -half, p.AsSpan(0, i), q.AsSpan(0, i));
        }

        if (last.Length > 0)
            Subtract(a.AsSpan(0, 1), 0, last, q);
        diagonal[0] = a[0];
    }

    private static void SubtractAll(double[] a, int n, int rows, double[] u, double[] q)
    {
        for (var r = 0; r < rows && u.Length > 0; r++)
            Subtract(a.AsSpan(r * n, r + 1), r, u, q);
    }

    /// <summary>Row r of <c>A - q u^T - u q^T</c>, up to the diagonal.</summary>
    private static void Subtract(Span<double> row, int r, double[] u, double[] q)
    {
        TensorPrimitives.MultiplyAdd<double>(u.AsSpan(0, r + 1), -q[r], row, row);
        TensorPrimitives.MultiplyAdd<double>(q.AsSpan(0, r + 1), -u[r], row, row);
    }

    /// <summary>The product of all reflections, whose rows the rotations then mix.</summary>
    private static double[] Reflections(double[] a, int n, double[] norms)
    {
        var result = new double[a.Length];
        Parallel.For(0, (n + RowsAtOnce - 1) / RowsAtOnce, block =>
        {
            var (first, end) = (block * RowsAtOnce, Math.Min(n, (block + 1) * RowsAtOnce));
            for (var r = first; r < end; r++)
                result[(r * n) + r] = 1;
            for (var i = Math.Max(1, first + 1); i < n; i++)
            {
                if (norms[i] == 0)
                    continue;
                var u = a.AsSpan(i * n, i);
                for (var r = first; r < Math.Min(end, i); r++)
                {
                    var row = result.AsSpan(r * n, i);
                    TensorPrimitives.MultiplyAdd<double>(u, -TensorPrimitives.Dot<double>(row, u) / norms[i], row, row);
                }
            }
        });
        return result;
    }

    /// <summary>Implicit QL; <paramref name="vectors"/> follow by rows.</summary>
    private static void Diagonalise(double[] d, double[] off, double[] vectors, int n)
    {
        double[] e = [.. off[1..], 0];
        var rotations = new List<(int Row, double Cosine, double Sine)>(RotationsAtOnce + n);
        for (var l = 0; l < n; l++)
        {
            for (var sweep = 0; ; sweep++)
            {
                var m = l;
                while (m < n - 1 && Math.Abs(e[m]) > double.Epsilon + (1.1e-16 * (Math.Abs(d[m]) + Math.Abs(d[m + 1]))))
                    m++;
                if (m == l)
                    break;
                if (sweep == MostSweeps)
                    throw NotFinite(n);
                Sweep(d, e, l, m, rotations);
                if (rotations.Count >= RotationsAtOnce)
                    Apply(rotations, vectors, n);
            }
        }

        if (!double.IsFinite(TensorPrimitives.Sum<double>(d)))
            throw NotFinite(n);
        Apply(rotations, vectors, n);
    }

    private static ArithmeticException NotFinite(int n) => new($"A matrix of {n} rows has no eigenvalues: it holds numbers that are not finite, or too large.");

    /// <summary>One implicit shift over the block <c>l..m</c>.</summary>
    private static void Sweep(double[] d, double[] e, int l, int m, List<(int Row, double Cosine, double Sine)> rotations)
    {
        var g = (d[l + 1] - d[l]) / (2 * e[l]);
        var r = double.Hypot(g, 1);
        g = d[m] - d[l] + (e[l] / (g + double.CopySign(r, g)));
        var (s, c, p) = (1.0, 1.0, 0.0);
        for (var i = m - 1; i >= l; i--)
        {
            var (f, b) = (s * e[i], c * e[i]);
            r = double.Hypot(f, g);
            e[i + 1] = r;
            if (r == 0)
            {
                d[i + 1] -= p;
                e[m] = 0;
                return;
            }

            (s, c) = (f / r, g / r);
            g = d[i + 1] - p;
            r = ((d[i] - g) * s) + (2 * c * b);
            p = s * r;
            d[i + 1] = g + p;
            g = (c * r) - b;
            rotations.Add((i, c, s));
        }

        d[l] -= p;
        e[l] = g;
        e[m] = 0;
    }

    private static void Apply(List<(int Row, double Cosine, double Sine)> rotations, double[] vectors, int n)
    {
        Parallel.For(0, (n + SlabColumns - 1) / SlabColumns, slab =>
        {
            var (first, width) = (slab * SlabColumns, Math.Min(SlabColumns, n - (slab * SlabColumns)));
            foreach (var (row, cosine, sine) in CollectionsMarshal.AsSpan(rotations))
            {
                var upper = vectors.AsSpan((row * n) + first, width);
                var lower = vectors.AsSpan(((row + 1) * n) + first, width);
                Turn(upper, lower, cosine, sine);
            }
        });
        rotations.Clear();
    }

    private static void Turn(Span<double> upper, Span<double> lower, double cosine, double sine)
    {
        var step = Vector<double>.Count;
        var (c, s) = (new Vector<double>(cosine), new Vector<double>(sine));
        var i = 0;
        for (; i <= upper.Length - step; i += step)
        {
            var (x, y) = (new Vector<double>(upper[i..]), new Vector<double>(lower[i..]));
            ((s * x) + (c * y)).CopyTo(lower[i..]);
            ((c * x) - (s * y)).CopyTo(upper[i..]);
        }

        for (; i < upper.Length; i++)
            (lower[i], upper[i]) = ((sine * upper[i]) + (cosine * lower[i]), (cosine * upper[i]) - (sine * lower[i]));
    }
}
