using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Basic;

/// <summary>Copy: <c>target[i] = source[i]</c>; the yardstick of the others.</summary>
/// <remarks>
/// Shapes: both <c>[length]</c> of 16 bytes. Every thread has four loads in flight before its first store.
/// Moves 32 bytes per element: bound by memory; floor = 2 * bytes / bandwidth.
/// </remarks>
internal sealed class CopyKernel(Accelerator accelerator)
{
    private const int GroupSize = 256;
    private const int PerThread = 4;

    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<UInt4>, ArrayView<UInt4>> copy =
        accelerator.LoadKernel<ArrayView<UInt4>, ArrayView<UInt4>>(Kernel);

    /// <summary>Copies as many elements as <paramref name="target"/> holds.</summary>
    internal void Launch(AcceleratorStream stream, ArrayView<UInt4> source, ArrayView<UInt4> target)
    {
        const int perGroup = GroupSize * PerThread;
        var groups = (target.Length + perGroup - 1) / perGroup;
        copy(stream, new KernelConfig((int)groups, GroupSize), source, target);
    }

    private static void Kernel(ArrayView<UInt4> source, ArrayView<UInt4> target)
    {
        var first = ((long)Grid.IdxX * (GroupSize * PerThread)) + Group.IdxX;
        if (first + ((PerThread - 1) * GroupSize) < target.Length)
        {
            var from = source.SubView(first);
            var to = target.SubView(first);
            var values = LocalMemory.Allocate<UInt4>(PerThread);
            for (var i = 0; i < Unroll.Full(PerThread); i++)
                values[i] = Cached.LoadStreaming(ref from[i * GroupSize]);
            for (var i = 0; i < Unroll.Full(PerThread); i++)
                Cached.StoreStreaming(ref to[i * GroupSize], values[i]);
            return;
        }

        for (var i = first; i < target.Length; i += GroupSize)
            target[i] = source[i];
    }
}
