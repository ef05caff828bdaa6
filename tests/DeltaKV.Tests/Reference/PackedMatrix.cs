using System.Runtime.Intrinsics;

namespace DeltaKV.Tests.Reference;

/// <summary>A weight <c>[outputs, inputs]</c> laid out in panels of 32 outputs, so that <c>y = x W^T</c> streams it.</summary>
internal sealed unsafe class PackedMatrix
{
    /// <summary>Columns one call of <see cref="Tile"/> produces: two 512-bit vectors.</summary>
    public const int Panel = 32;

    private const int RowsPerTile = 6;

    private readonly float[] _panels;

    public PackedMatrix(ReadOnlySpan<float> weight, int outputs, int inputs)
    {
        Outputs = outputs;
        Inputs = inputs;
        _panels = GC.AllocateArray<float>((outputs + Panel - 1) / Panel * Panel * inputs, pinned: true);
        for (var o = 0; o < outputs; o++)
        {
            for (var i = 0; i < inputs; i++)
                _panels[o / Panel * Panel * inputs + i * Panel + o % Panel] = weight[o * inputs + i];
        }
    }

    public int Outputs { get; }

    public int Inputs { get; }

    /// <summary><c>y[rows, Outputs] = x[rows, Inputs] W^T</c>, added to y when <paramref name="accumulate"/>.</summary>
    public void Multiply(float[] x, float[] y, int rows, bool accumulate = false)
    {
        Parallel.For(0, Outputs / Panel, panel =>
        {
            fixed (float* source = x, weights = _panels, target = y)
            {
                for (var row = 0; row < rows; row += RowsPerTile)
                {
                    Tile(source + row * Inputs, Inputs, Math.Min(RowsPerTile, rows - row), weights + panel * Panel * Inputs, Panel, Inputs,
                        target + row * Outputs + panel * Panel, Outputs, accumulate);
                }
            }
        });
    }

    /// <summary>All rows of a against one panel: <c>c[rows, 32] (+)= a[rows, depth] b[depth, 32]</c>.</summary>
    public static void Column(float* a, int lda, int rows, float* b, int ldb, int depth, float* c, int ldc, bool accumulate)
    {
        for (var row = 0; row < rows; row += RowsPerTile)
            Tile(a + row * lda, lda, Math.Min(RowsPerTile, rows - row), b, ldb, depth, c + row * ldc, ldc, accumulate);
    }

    private static void Tile(float* a, int lda, int rows, float* b, int ldb, int depth, float* c, int ldc, bool accumulate)
    {
        if (rows < RowsPerTile)
        {
            for (var row = 0; row < rows; row++)
                SingleRow(a + row * lda, b, ldb, depth, c + row * ldc, accumulate);
            return;
        }

        Vector512<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        float* a1 = a + lda, a2 = a1 + lda, a3 = a2 + lda, a4 = a3 + lda, a5 = a4 + lda;
        for (var k = 0; k < depth; k++, b += ldb)
        {
            var b0 = Vector512.Load(b);
            var b1 = Vector512.Load(b + 16);
            var v = Vector512.Create(a[k]);
            c00 = Vector512.FusedMultiplyAdd(v, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(v, b1, c01);
            v = Vector512.Create(a1[k]);
            c10 = Vector512.FusedMultiplyAdd(v, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(v, b1, c11);
            v = Vector512.Create(a2[k]);
            c20 = Vector512.FusedMultiplyAdd(v, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(v, b1, c21);
            v = Vector512.Create(a3[k]);
            c30 = Vector512.FusedMultiplyAdd(v, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(v, b1, c31);
            v = Vector512.Create(a4[k]);
            c40 = Vector512.FusedMultiplyAdd(v, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(v, b1, c41);
            v = Vector512.Create(a5[k]);
            c50 = Vector512.FusedMultiplyAdd(v, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(v, b1, c51);
        }

        Store(c, c00, c01, accumulate);
        Store(c += ldc, c10, c11, accumulate);
        Store(c += ldc, c20, c21, accumulate);
        Store(c += ldc, c30, c31, accumulate);
        Store(c += ldc, c40, c41, accumulate);
        Store(c + ldc, c50, c51, accumulate);
    }

    private static void SingleRow(float* a, float* b, int ldb, int depth, float* c, bool accumulate)
    {
        Vector512<float> c0 = default, c1 = default;
        for (var k = 0; k < depth; k++, b += ldb)
        {
            var v = Vector512.Create(a[k]);
            c0 = Vector512.FusedMultiplyAdd(v, Vector512.Load(b), c0);
            c1 = Vector512.FusedMultiplyAdd(v, Vector512.Load(b + 16), c1);
        }

        Store(c, c0, c1, accumulate);
    }

    private static void Store(float* c, Vector512<float> left, Vector512<float> right, bool accumulate)
    {
        if (accumulate)
        {
            left += Vector512.Load(c);
            right += Vector512.Load(c + 16);
        }

        left.Store(c);
        right.Store(c + 16);
    }
}
