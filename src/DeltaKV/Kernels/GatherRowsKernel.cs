using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>Row gather: <c>y[t,:] = table[rows[t],:]</c>. The embedding of tokens, and the choice of the positions whose logits are wanted.</summary>
/// <remarks>
/// Shapes: table <c>[entries, width]</c>, rows <c>[count]</c>, y <c>[count, width]</c>; any element type, width a multiple of 16 bytes.
/// One group per row. Moves 2 * count * width elements: bound by memory, at decode by the launch. A negative row gives zeros.
/// </remarks>
internal sealed class GatherRowsKernel(Accelerator accelerator)
{
    private readonly KernelHandle<Arguments> gather = new(accelerator, Kernel);

    /// <summary>Gathers <paramref name="count"/> rows of <paramref name="width"/> elements.</summary>
    internal void Launch<T>(AcceleratorStream stream, ArrayView<int> rows, ArrayView<T> table, ArrayView<T> y, int count, int width)
        where T : unmanaged
    {
        if (count == 0)
            return;
        var chunks = width * ArrayView<T>.ElementSize / 16;
        var groupSize = Math.Clamp((chunks + 31) / 32 * 32, 32, 256);
        gather.Launch(stream, new KernelConfig(count, groupSize), new Arguments(rows, table.Cast<UInt4>(), y.Cast<UInt4>(), chunks));
    }

    private static void Kernel(Arguments arguments)
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var row = arguments.Rows[Grid.IdxX];
        var target = arguments.Target.SubView((long)Grid.IdxX * arguments.Chunks);
        if (row < 0)
        {
            for (var i = Group.IdxX; i < arguments.Chunks; i += Group.DimX)
                target[i] = default;
            return;
        }

        var source = arguments.Table.SubView((long)row * arguments.Chunks);
        for (var i = Group.IdxX; i < arguments.Chunks; i += Group.DimX)
            target[i] = source[i];
    }

    private readonly struct Arguments(ArrayView<int> rows, ArrayView<UInt4> table, ArrayView<UInt4> target, int chunks)
    {
        public readonly ArrayView<int> Rows = rows;
        public readonly ArrayView<UInt4> Table = table;
        public readonly ArrayView<UInt4> Target = target;
        public readonly int Chunks = chunks;
    }
}
