using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Basic;

/// <summary>Sum: <c>result[0] = sum_i x[i]</c>, the same on every run.</summary>
/// <remarks>
/// Shapes: x <c>[length]</c> of four fp32, partial sums <c>[groups]</c>. Two launches: every group strides over x, then one group adds
/// the partial sums in order. Moves 4 bytes per number: bound by memory.
/// Source: Harris, Optimizing parallel reduction in CUDA, 2007.
/// </remarks>
internal sealed class ReductionKernel(Accelerator accelerator)
{
    /// <summary>The most partial sums a launch writes.</summary>
    internal const int MaxGroups = 1024;

    private const int GroupSize = 256;

    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<Float4>, ArrayView<float>> sum =
        accelerator.LoadKernel<ArrayView<Float4>, ArrayView<float>>(Partial);

    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>> finish =
        accelerator.LoadKernel<ArrayView<float>, ArrayView<float>>(Final);

    /// <summary>Sums <paramref name="x"/> into <c>result[0]</c>; <paramref name="partial"/> is scratch of <see cref="MaxGroups"/> numbers.</summary>
    internal void Launch(AcceleratorStream stream, ArrayView<Float4> x, ArrayView<float> partial, ArrayView<float> result)
    {
        var groups = (int)Math.Clamp(x.Length / (GroupSize * 8), 1, MaxGroups);
        sum(stream, new KernelConfig(groups, GroupSize), x, partial.SubView(0, groups));
        finish(stream, new KernelConfig(1, GroupSize), partial.SubView(0, groups), result);
    }

    private static void Partial(ArrayView<Float4> x, ArrayView<float> partial)
    {
        var stride = (long)Grid.DimX * GroupSize;
        var i = ((long)Grid.IdxX * GroupSize) + Group.IdxX;
        var total = 0f;
        for (; i + (3 * stride) < x.Length; i += 4 * stride)
            total += Sum(x[i]) + Sum(x[i + stride]) + (Sum(x[i + (2 * stride)]) + Sum(x[i + (3 * stride)]));
        for (; i < x.Length; i += stride)
            total += Sum(x[i]);
        total = GroupReduce.Sum(total);
        if (Group.IdxX == 0)
            partial[Grid.IdxX] = total;
    }

    private static void Final(ArrayView<float> partial, ArrayView<float> result)
    {
        var total = 0f;
        for (var i = Group.IdxX; i < partial.IntLength; i += GroupSize)
            total += partial[i];
        total = GroupReduce.Sum(total);
        if (Group.IdxX == 0)
            result[0] = total;
    }

    private static float Sum(Float4 value) => value.X + value.Y + (value.Z + value.W);
}
