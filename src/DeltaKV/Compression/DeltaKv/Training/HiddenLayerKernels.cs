using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>A hidden layer's differences of features and their gradients: <c>d = phi(a) - phi(a')</c>, <c>g_a = phi'(a) g_d</c>, <c>g_a' = -phi'(a') g_d</c>.</summary>
/// <remarks>
/// Shapes: a <c>[2 batch, rows]</c> fp32 before the bias, tokens first, then their references; bias <c>[rows]</c> fp32; d <c>[batch, features]</c> and the gradient of a
/// <c>[2 batch, rows]</c>, halves; the gradient of d <c>[batch, features]</c> fp32. In a decoder there are no references: <c>d = phi(a)</c>, and rows are the batch's. A thread takes two neighbouring features of a token. Bound by memory.
/// </remarks>
/// <typeparam name="TKind">SwiGLU or GELU.</typeparam>
internal sealed class HiddenLayerKernels<TKind>(Accelerator accelerator) : IHiddenLayerKernels
    where TKind : struct, IFeatureKind
{
    private const int GroupSize = 128;

    private readonly KernelHandle<HiddenLayerArguments> forward = new(accelerator, Forward);
    private readonly KernelHandle<HiddenLayerArguments> backward = new(accelerator, Backward);

    public void Forward(AcceleratorStream stream, HiddenLayerArguments arguments) => Launch(stream, forward, arguments);

    public void Backward(AcceleratorStream stream, HiddenLayerArguments arguments) => Launch(stream, backward, arguments);

    private static void Launch(AcceleratorStream stream, KernelHandle<HiddenLayerArguments> kernel, HiddenLayerArguments arguments) => kernel.Launch(
        stream, new KernelConfig(new Index2D(((arguments.Features / 2) + GroupSize - 1) / GroupSize, arguments.Batch), new Index2D(GroupSize, 1)), arguments);

    private static void Forward(HiddenLayerArguments arguments)
    {
        var pair = (Grid.IdxX * GroupSize) + Group.IdxX;
        if (pair >= arguments.Features / 2)
            return;
        var own = Features(arguments, Grid.IdxY, pair);
        var reference = arguments.Subtracts != 0 ? Features(arguments, arguments.Batch + Grid.IdxY, pair) : default;
        arguments.Differences[((long)Grid.IdxY * (arguments.Features / 2)) + pair] = HalfRange.Pack(own.X - reference.X, own.Y - reference.Y);
    }

    private static void Backward(HiddenLayerArguments arguments)
    {
        var pair = (Grid.IdxX * GroupSize) + Group.IdxX;
        if (pair >= arguments.Features / 2)
            return;
        var gradient = arguments.Gradients.Cast<Float2>()[((long)Grid.IdxY * (arguments.Features / 2)) + pair];
        Spread(arguments, Grid.IdxY, pair, gradient);
        if (arguments.Subtracts != 0)
            Spread(arguments, arguments.Batch + Grid.IdxY, pair, new Float2(-gradient.X, -gradient.Y));
    }

    private static Float2 Features(HiddenLayerArguments arguments, int row, int pair)
    {
        var x = Sum(arguments, row, pair);
        if (!TKind.Gates)
            return new Float2(Activation.Gelu(x.X), Activation.Gelu(x.Y));
        var up = Sum(arguments, row, (arguments.Features / 2) + pair);
        return new Float2(Activation.Silu(x.X) * up.X, Activation.Silu(x.Y) * up.Y);
    }

    private static void Spread(HiddenLayerArguments arguments, int row, int pair, Float2 gradient)
    {
        var pairs = TKind.Gates ? arguments.Features : arguments.Features / 2;
        var target = ((long)row * pairs) + pair;
        var x = Sum(arguments, row, pair);
        if (!TKind.Gates)
        {
            arguments.Spread[target] = HalfRange.Pack(Activation.GeluSlope(x.X) * gradient.X, Activation.GeluSlope(x.Y) * gradient.Y);
            return;
        }

        var up = Sum(arguments, row, (arguments.Features / 2) + pair);
        arguments.Spread[target] = HalfRange.Pack(Activation.SiluSlope(x.X) * up.X * gradient.X, Activation.SiluSlope(x.Y) * up.Y * gradient.Y);
        arguments.Spread[target + (arguments.Features / 2)] = HalfRange.Pack(Activation.Silu(x.X) * gradient.X, Activation.Silu(x.Y) * gradient.Y);
    }

    /// <summary>Two neighbours of a, their biases added.</summary>
    private static Float2 Sum(HiddenLayerArguments arguments, int row, int pair)
    {
        var pairs = TKind.Gates ? arguments.Features : arguments.Features / 2;
        var sum = arguments.Sums.Cast<Float2>()[((long)row * pairs) + pair];
        var bias = arguments.Bias.Cast<Float2>()[pair];
        return new Float2(sum.X + bias.X, sum.Y + bias.Y);
    }
}
