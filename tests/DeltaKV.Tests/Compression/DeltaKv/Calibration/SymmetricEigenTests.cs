using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using MathNet.Numerics.LinearAlgebra;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class SymmetricEigenTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(131)]
    public void VectorsAreOrthonormalAndValuesFall(int size)
    {
        var matrix = Random(size, rank: size);
        var (values, vectors) = SymmetricEigen.Solve([.. matrix], size);
        AssertSolves(matrix, size, values, vectors);
        var expected = Matrix<double>.Build.DenseOfRowMajor(size, size, matrix).Evd(Symmetricity.Symmetric).EigenValues.Select(value => value.Real).OrderDescending();
        Assert.All(values.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-11 * size));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(80)]
    public void ManyEqualValuesAreNoTrouble(int rank)
    {
        const int size = 80;
        var matrix = Random(size, rank);
        for (var i = 0; i < size; i++)
            matrix[(i * size) + i] += 3;
        var (values, vectors) = SymmetricEigen.Solve([.. matrix], size);
        AssertSolves(matrix, size, values, vectors);
        Assert.All(values.Skip(rank), value => Assert.Equal(3, value, 1e-10));
    }

    [Fact]
    public void WhatIsDiagonalStaysAsItIs()
    {
        double[] matrix = [2, 0, 0, 0, 0, 0, 0, 0, 5];
        var (values, vectors) = SymmetricEigen.Solve([.. matrix], 3);
        Assert.Equal([5, 2, 0], values);
        AssertSolves(matrix, 3, values, vectors);
    }

    [Fact]
    public void OnlyTheLowerTriangleIsRead()
    {
        var matrix = Random(9, rank: 9);
        var half = matrix.Select((value, i) => i % 9 > i / 9 ? double.NaN : value).ToArray();
        Assert.Equal(SymmetricEigen.Solve([.. matrix], 9).Vectors, SymmetricEigen.Solve(half, 9).Vectors);
    }

    [Fact]
    public void NumbersThatAreNoneAreRefused() =>
        Assert.Contains("4 rows", Assert.Throws<ArithmeticException>(() => SymmetricEigen.Solve([.. Enumerable.Repeat(double.NaN, 16)], 4)).Message, StringComparison.Ordinal);

    private static void AssertSolves(double[] matrix, int size, double[] values, double[] vectors)
    {
        Assert.True(values.Zip(values.Skip(1)).All(pair => pair.First >= pair.Second));
        for (var i = 0; i < size; i++)
        {
            var vector = vectors[(i * size)..((i + 1) * size)];
            for (var j = 0; j <= i; j++)
                Assert.Equal(i == j ? 1 : 0, vector.Zip(vectors.Skip(j * size), (a, b) => a * b).Sum(), 1e-12 * size);
            for (var row = 0; row < size; row++)
                Assert.Equal(values[i] * vector[row], vector.Select((v, k) => v * matrix[(row * size) + k]).Sum(), 1e-11 * size);
        }
    }

    private static double[] Random(int size, int rank)
    {
        var random = new SeededRandom(81, "eigen", size, rank);
        var factors = Enumerable.Range(0, rank).Select(_ => Enumerable.Range(0, size).Select(_ => random.NextNormal()).ToArray()).ToArray();
        var result = new double[size * size];
        for (var i = 0; i < size; i++)
        {
            for (var j = 0; j < size; j++)
                result[(i * size) + j] = factors.Select((f, k) => (k % 3 == 2 && rank == size ? -1 : 1) * f[i] * f[j]).Sum() / rank;
        }

        return result;
    }
}
