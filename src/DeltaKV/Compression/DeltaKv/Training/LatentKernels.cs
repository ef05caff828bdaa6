using DeltaKV.Compression.Codes;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Latents on their way to the decoder: rounded to halves, or as their integers would return, with a step per 32 of them.</summary>
/// <remarks>Shapes: z <c>[rows, latents]</c> fp32, y the same in pairs of halves. Quantising: a warp per 32 latents of a row, the arithmetic of the encoder. Bound by memory.</remarks>
internal sealed class LatentKernels(Accelerator accelerator)
{
    /// <summary>Latents that share a step.</summary>
    internal const int Group32 = 32;

    private const int GroupSize = 128;

    private readonly KernelHandle<Arguments> round = new(accelerator, Round);
    private readonly KernelHandle<Arguments> quantise = new(accelerator, Quantise);

    /// <summary>Rounds <paramref name="count"/> numbers, an even count.</summary>
    internal void Round(AcceleratorStream stream, ArrayView<float> z, ArrayView<uint> y, long count) =>
        round.Launch(stream, new KernelConfig((int)(((count / 2) + GroupSize - 1) / GroupSize), GroupSize), new Arguments { Z = z, Y = y, Count = count });

    /// <summary>Quantises and returns; <paramref name="count"/> is a multiple of 32.</summary>
    internal void Quantise(AcceleratorStream stream, ArrayView<float> z, ArrayView<uint> y, long count, int bits) =>
        quantise.Launch(
            stream, new KernelConfig((int)((count + GroupSize - 1) / GroupSize), GroupSize), new Arguments { Z = z, Y = y, Count = count, Levels = (1 << bits) - 1 });

    private static void Round(Arguments arguments)
    {
        var pair = ((long)Grid.IdxX * GroupSize) + Group.IdxX;
        if (pair >= arguments.Count / 2)
            return;
        var value = arguments.Z.Cast<Float2>()[pair];
        arguments.Y[pair] = HalfRange.Pack(value.X, value.Y);
    }

    private static void Quantise(Arguments arguments)
    {
        var at = ((long)Grid.IdxX * GroupSize) + Group.IdxX;
        // A warp is within the count or beyond it as a whole.
        if (at >= arguments.Count)
            return;
        var value = arguments.Z[at];
        var scale = CodeScale.Pack(WarpReduce.Min(value), WarpReduce.Max(value), arguments.Levels);
        var code = CodeScale.Quantise(value, scale, arguments.Levels);
        var pair = new Half2(scale);
        var returned = FastMath.Fma(pair.Low, code, pair.High);
        var next = Warp.ShuffleXor(returned, 1);
        if ((Warp.LaneIdx & 1) == 0)
            arguments.Y[at >> 1] = HalfRange.Pack(returned, next);
    }

    private struct Arguments
    {
        public ArrayView<float> Z;
        public ArrayView<uint> Y;
        public long Count;
        public int Levels;
    }
}
