using DeltaKV.Gpu;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Random numbers in device memory: <c>y[i] = offset + scale * u</c>, u uniform in [-1, 1), from a hash of the index.</summary>
/// <remarks>Speed depends on values only through power: bits that never change would flatter it. Shapes: y any number of bf16 pairs.</remarks>
internal sealed class RandomFill(AcceleratorStream stream)
{
    private const int GroupSize = 256;
    private const int GroupsPerMultiprocessor = 8;

    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<uint>, uint, float, float> fill =
        stream.Accelerator.LoadKernel<ArrayView<uint>, uint, float, float>(Kernel);

    private uint seed;

    /// <summary>Fills a view of an even number of elements; no two calls give the same numbers.</summary>
    internal void Fill(ArrayView<BFloat16> target, float scale, float offset = 0)
    {
        if (target.Length == 0)
            return;
        seed = (seed * 747796405) + 2891336453;
        fill(stream, new KernelConfig(stream.Accelerator.NumMultiprocessors * GroupsPerMultiprocessor, GroupSize), target.Cast<uint>(), seed, scale, offset);
    }

    private static void Kernel(ArrayView<uint> target, uint seed, float scale, float offset)
    {
        long stride = Grid.DimX * Group.DimX;
        for (long i = Grid.GlobalIndex.X; i < target.Length; i += stride)
        {
            var hash = ((uint)i * 2654435761u) ^ seed;
            hash = (hash ^ (hash >> 16)) * 2246822519u;
            hash ^= hash >> 13;
            var low = ((hash & 0xffff) - 32768f) / 32768f;
            var high = ((hash >> 16) - 32768f) / 32768f;
            target[i] = BFloat16x2.FromSingles(offset + (scale * low), offset + (scale * high)).Bits;
        }
    }
}
