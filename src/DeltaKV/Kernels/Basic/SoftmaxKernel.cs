using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Basic;

/// <summary>Row softmax: <c>y[r,i] = exp(x[r,i] - max_r) / sum_i exp(x[r,i] - max_r)</c>.</summary>
/// <remarks>
/// Shapes: x, y <c>[rows, width]</c> fp32. One group per row; one pass keeps a running maximum and sum, the second writes, so x is read twice,
/// the second time from L2 when the row fits. Moves 8 bytes per element: bound by memory.
/// Source: Milakov and Gimelshein, Online normalizer calculation for softmax, 2018.
/// </remarks>
internal sealed class SoftmaxKernel(Accelerator accelerator)
{
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, int> softmax =
        accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, int>(Kernel);

    /// <summary>Normalises every row.</summary>
    internal void Launch(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> y, int rows, int width) =>
        softmax(stream, new KernelConfig(rows, Math.Clamp((width + 31) / 32 * 32, 32, 1024)), x, y, width);

    private static void Kernel(ArrayView<float> x, ArrayView<float> y, int width)
    {
        var source = x.SubView((long)Grid.IdxX * width);
        var target = y.SubView((long)Grid.IdxX * width);
        var largest = float.NegativeInfinity;
        var sum = 0f;
        for (var i = Group.IdxX; i < width; i += Group.DimX)
        {
            var value = source[i];
            if (value > largest)
            {
                sum *= FastMath.Exp(largest - value);
                largest = value;
            }

            sum += FastMath.Exp(value - largest);
        }

        var rowLargest = GroupReduce.Max(largest);
        sum = largest == float.NegativeInfinity ? 0f : sum * FastMath.Exp(largest - rowLargest);
        var scale = 1f / GroupReduce.Sum(sum);
        for (var i = Group.IdxX; i < width; i += Group.DimX)
            target[i] = FastMath.Exp(source[i] - rowLargest) * scale;
    }
}
