using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Basic;

/// <summary>Scaled addition: <c>y[i] += a * x[i]</c>.</summary>
/// <remarks>
/// Shapes: x, y <c>[length]</c> of four fp32. Moves 48 bytes per element of 16 and does 8 operations: bound by memory.
/// Source: BLAS level 1.
/// </remarks>
internal sealed class AxpyKernel(Accelerator accelerator)
{
    private const int GroupSize = 256;

    private readonly Action<AcceleratorStream, KernelConfig, float, ArrayView<Float4>, ArrayView<Float4>> axpy =
        accelerator.LoadKernel<float, ArrayView<Float4>, ArrayView<Float4>>(Kernel);

    /// <summary>Adds <paramref name="a"/> times <paramref name="x"/> to <paramref name="y"/>.</summary>
    internal void Launch(AcceleratorStream stream, float a, ArrayView<Float4> x, ArrayView<Float4> y) =>
        axpy(stream, new KernelConfig((int)((y.Length + GroupSize - 1) / GroupSize), GroupSize), a, x, y);

    private static void Kernel(float a, ArrayView<Float4> x, ArrayView<Float4> y)
    {
        var i = ((long)Grid.IdxX * GroupSize) + Group.IdxX;
        if (i >= y.Length)
            return;
        var left = x[i];
        var right = y[i];
        y[i] = new Float4(
            FastMath.Fma(a, left.X, right.X),
            FastMath.Fma(a, left.Y, right.Y),
            FastMath.Fma(a, left.Z, right.Z),
            FastMath.Fma(a, left.W, right.W));
    }
}
