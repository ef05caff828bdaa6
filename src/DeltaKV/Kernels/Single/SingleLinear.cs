using DeltaKV.Gpu;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Kernels.Single;

/// <summary>Linear layers in fp32, <c>y[m,n] = sum_k x[m,k] W[n,k]</c>: the exact and slow form for comparing models.</summary>
/// <remarks>One warp per element of y; a lane adds every 32nd pair in order. Does 2 m n k operations and reads x and W again for every element: bound by L2.</remarks>
internal sealed class SingleLinear(Accelerator accelerator)
{
    private const int WarpsPerGroup = 8;

    private readonly KernelHandle<Arguments> plain = new(accelerator, Kernel<Epilogue.Plain>);
    private readonly KernelHandle<Arguments> bias = new(accelerator, Kernel<Epilogue.Bias>);
    private readonly KernelHandle<Arguments> residual = new(accelerator, Kernel<Epilogue.Residual>);
    private readonly KernelHandle<Arguments> gated = new(accelerator, Kernel<Epilogue.Gated>);

    /// <summary><c>y = x W^T</c>.</summary>
    internal void Launch(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> y, int m, int n, int k) =>
        Launch(stream, plain, new Arguments(x, weight, y, default, n, k), m);

    /// <summary><c>y = x W^T + b</c>.</summary>
    internal void LaunchBias(
        AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> biasVector, ArrayView<float> y, int m, int n, int k) =>
        Launch(stream, bias, new Arguments(x, weight, y, biasVector, n, k), m);

    /// <summary><c>y = x W^T + r</c>.</summary>
    internal void LaunchAdd(
        AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weight, ArrayView<float> addend, ArrayView<float> y, int m, int n, int k) =>
        Launch(stream, residual, new Arguments(x, weight, y, addend, n, k), m);

    /// <summary><c>y = silu(x G^T) * (x U^T)</c>; gate rows before up rows.</summary>
    internal void LaunchSwiGlu(
        AcceleratorStream stream, ArrayView<float> x, ArrayView<float> gateUp, ArrayView<float> y, int m, int n, int k) =>
        Launch(stream, gated, new Arguments(x, gateUp, y, default, n, k), m);

    private static void Launch(AcceleratorStream stream, KernelHandle<Arguments> kernel, Arguments arguments, int rows)
    {
        if (rows == 0)
            return;
        if (arguments.Depth % 2 != 0)
            throw new ArgumentException($"A linear layer's input has {arguments.Depth} features; the kernels need an even number.", nameof(arguments));
        var groups = (arguments.Columns + WarpsPerGroup - 1) / WarpsPerGroup;
        kernel.Launch(stream, new KernelConfig(new Index2D(groups, rows), new Index2D(32 * WarpsPerGroup, 1)), arguments);
    }

    private static void Kernel<TEpilogue>(Arguments arguments)
        where TEpilogue : struct, IEpilogue
    {
        var row = Grid.IdxY;
        var column = (Grid.IdxX * WarpsPerGroup) + (Group.IdxX >> 5);
        if (column >= arguments.Columns)
            return;
        var sum = Dot(arguments, row, column);
        if (TEpilogue.Gates)
            sum = Epilogue.SwiGlu(sum, Dot(arguments, row, arguments.Columns + column));
        var index = ((long)row * arguments.Columns) + column;
        if (TEpilogue.AddsBias)
            sum += arguments.Addend[column];
        if (TEpilogue.AddsResidual)
            sum += arguments.Addend[index];
        if (Warp.IsFirstLane)
            arguments.Output[index] = sum;
    }

    private static float Dot(in Arguments arguments, int row, int weightRow)
    {
        var pairs = arguments.Depth / 2;
        var x = arguments.Input.SubView((long)row * pairs);
        var w = arguments.Weight.SubView((long)weightRow * pairs);
        var sum = 0f;
        for (var i = Warp.LaneIdx; i < pairs; i += 32)
        {
            var left = x[i];
            var right = w[i];
            sum = FastMath.Fma(left.X, right.X, FastMath.Fma(left.Y, right.Y, sum));
        }

        return WarpReduce.Sum(sum);
    }

    private readonly struct Arguments(
        ArrayView<float> input, ArrayView<float> weight, ArrayView<float> output, ArrayView<float> addend, int columns, int depth)
    {
        public readonly ArrayView<Float2> Input = input.Cast<Float2>();
        public readonly ArrayView<Float2> Weight = weight.Cast<Float2>();
        public readonly ArrayView<float> Output = output;
        public readonly ArrayView<float> Addend = addend;
        public readonly int Columns = columns;
        public readonly int Depth = depth;
    }
}
