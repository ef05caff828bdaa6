using DeltaKV.Compression.Codes;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>What a codec should return, <c>t = x - r</c>, and what it misses: <c>e = y + b - t</c>, <c>loss[row] = sum e^2</c>.</summary>
/// <remarks>
/// Shapes: b <c>[width]</c> fp32, or empty; x and r <c>[2 batch, width]</c> halves, tokens first, then their references; y <c>[batch, width]</c> fp32; t or e <c>[batch, width]</c> halves; a group per
/// row, sums in fp32 and in a fixed order. Bound by memory.
/// </remarks>
internal sealed class ReconstructionKernels(Accelerator accelerator)
{
    private const int GroupSize = 128;

    private readonly KernelHandle<Arguments> difference = new(accelerator, Difference);
    private readonly KernelHandle<Arguments> miss = new(accelerator, Miss);

    /// <summary>Writes t, and its squares as the loss of decoding nothing.</summary>
    internal void Difference(AcceleratorStream stream, ArrayView<uint> inputs, ArrayView<uint> target, ArrayView<float> rowLosses, int batch, int width) =>
        difference.Launch(stream, new KernelConfig(batch, GroupSize), new Arguments { Inputs = inputs, Errors = target, RowLosses = rowLosses, Batch = batch, Pairs = width / 2 });

    /// <summary>Writes e and the losses.</summary>
    internal void Miss(
        AcceleratorStream stream, ArrayView<uint> inputs, ArrayView<float> decoded, ArrayView<float> offset, ArrayView<uint> errors, ArrayView<float> rowLosses, int batch, int width) =>
        miss.Launch(
            stream, new KernelConfig(batch, GroupSize),
            new Arguments { Inputs = inputs, Decoded = decoded, Offset = offset, Errors = errors, RowLosses = rowLosses, Batch = batch, Pairs = width / 2 });

    private static void Difference(Arguments arguments)
    {
        var sum = 0f;
        for (var pair = Group.IdxX; pair < arguments.Pairs; pair += GroupSize)
        {
            var target = Target(arguments, pair);
            arguments.Errors[((long)Grid.IdxX * arguments.Pairs) + pair] = HalfRange.Pack(target.X, target.Y);
            sum = FastMath.Fma(target.X, target.X, FastMath.Fma(target.Y, target.Y, sum));
        }

        Finish(arguments, sum);
    }

    private static void Miss(Arguments arguments)
    {
        var sum = 0f;
        for (var pair = Group.IdxX; pair < arguments.Pairs; pair += GroupSize)
        {
            var target = Target(arguments, pair);
            var at = ((long)Grid.IdxX * arguments.Pairs) + pair;
            var decoded = arguments.Decoded.Cast<Float2>()[at];
            var offset = arguments.Offset.Length > 0 ? arguments.Offset.Cast<Float2>()[pair] : default;
            var low = decoded.X + offset.X - target.X;
            var high = decoded.Y + offset.Y - target.Y;
            arguments.Errors[at] = HalfRange.Pack(low, high);
            sum = FastMath.Fma(low, low, FastMath.Fma(high, high, sum));
        }

        Finish(arguments, sum);
    }

    private static Float2 Target(Arguments arguments, int pair)
    {
        var own = new Half2(arguments.Inputs[((long)Grid.IdxX * arguments.Pairs) + pair]);
        var reference = new Half2(arguments.Inputs[((long)(arguments.Batch + Grid.IdxX) * arguments.Pairs) + pair]);
        return new Float2(own.Low - reference.Low, own.High - reference.High);
    }

    private static void Finish(Arguments arguments, float sum)
    {
        sum = GroupReduce.Sum(sum);
        if (Group.IdxX == 0)
            arguments.RowLosses[Grid.IdxX] = sum;
    }

    private struct Arguments
    {
        public ArrayView<uint> Inputs;
        public ArrayView<float> Decoded;
        public ArrayView<float> Offset;
        public ArrayView<uint> Errors;
        public ArrayView<float> RowLosses;
        public int Batch;
        public int Pairs;
    }
}
