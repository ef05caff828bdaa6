using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Single;

/// <summary>Root-mean-square norm in fp32, optionally after <c>x += delta</c>: the exact form for comparing models.</summary>
/// <remarks>Shapes: x, delta, y <c>[tokens, width]</c>, w <c>[width]</c>. One group per token, two passes over the row. Moves 12 bytes per element.</remarks>
internal sealed class SingleNorm(Accelerator accelerator)
{
    private const int GroupSize = 256;

    private readonly KernelHandle<Arguments> norm = new(accelerator, Kernel);

    /// <summary>Normalises every row; an empty <paramref name="delta"/> adds nothing.</summary>
    internal void Launch(
        AcceleratorStream stream,
        ArrayView<float> x,
        ArrayView<float> delta,
        ArrayView<float> weight,
        ArrayView<float> y,
        int tokens,
        int width,
        float epsilon)
    {
        if (tokens > 0)
            norm.Launch(stream, new KernelConfig(tokens, GroupSize), new Arguments(x, delta, weight, y, width, epsilon));
    }

    private static void Kernel(Arguments arguments)
    {
        var row = (long)Grid.IdxX * arguments.Width;
        var x = arguments.X.SubView(row);
        var sum = 0f;
        for (var i = Group.IdxX; i < arguments.Width; i += GroupSize)
        {
            var value = x[i];
            if (arguments.Delta.Length > 0)
            {
                value += arguments.Delta[row + i];
                x[i] = value;
            }

            sum = FastMath.Fma(value, value, sum);
        }

        var scale = FastMath.Rsqrt((GroupReduce.Sum(sum) / arguments.Width) + arguments.Epsilon);
        for (var i = Group.IdxX; i < arguments.Width; i += GroupSize)
            arguments.Y[row + i] = x[i] * scale * arguments.Weight[i];
    }

    private readonly struct Arguments(
        ArrayView<float> x, ArrayView<float> delta, ArrayView<float> weight, ArrayView<float> y, int width, float epsilon)
    {
        public readonly ArrayView<float> X = x;
        public readonly ArrayView<float> Delta = delta;
        public readonly ArrayView<float> Weight = weight;
        public readonly ArrayView<float> Y = y;
        public readonly int Width = width;
        public readonly float Epsilon = epsilon;
    }
}
