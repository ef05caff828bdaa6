using System.Runtime.CompilerServices;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>Counts, layer by layer, how many tokens of a sequence have marks of which size: 32 buckets per power of two from 2^-32 to 1.</summary>
/// <remarks>
/// Shapes: marks <c>[blocks, keyHeads, 64]</c> through the tables, counts <c>[layers, 1024]</c>. One group per layer. Reads 4 bytes per token and head once a prompt; the host reads the
/// counts, for only then it is known how many blocks each layer keeps: the one place where an eviction waits for the device.
/// </remarks>
internal sealed class MarkHistogram : IDisposable
{
    /// <summary>Sizes that are told apart.</summary>
    internal const int Buckets = 1024;

    private const int Threads = 512;
    private const int Shift = 18;

    // Bits of 2^-32, shifted.
    private const int Origin = (127 - 32) << (23 - Shift);

    private readonly EvictionFormat format;
    private readonly EvictionTables tables;
    private readonly KernelHandle<Arguments> count;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> counts;

    internal MarkHistogram(Accelerator accelerator, EvictionFormat format, EvictionTables tables)
    {
        (this.format, this.tables) = (format, tables);
        count = new KernelHandle<Arguments>(accelerator, Kernel);
        counts = accelerator.Allocate1D<int>(format.LayerCount * Buckets);
    }

    /// <summary>The bucket of a mark.</summary>
    internal static int BucketOf(float mark) => Math.Clamp((int)(Unsafe.BitCast<float, uint>(mark) >> Shift) - Origin, 0, Buckets - 1);

    /// <summary>Counts the marks of a sequence and waits for them.</summary>
    internal int[] Count(AcceleratorStream stream, ArrayView<float> marks, int row, int length)
    {
        count.Launch(stream, new KernelConfig(format.LayerCount, Threads), new Arguments
        {
            Marks = marks,
            Tables = tables.Blocks(0).SubView((long)row * tables.RowEntries),
            Starts = tables.Starts(0),
            Counts = counts.View,
            Stride = tables.Stride,
            Rows = tables.Rows,
            Row = row,
            Length = length,
            KeyHeads = format.Shape.KeyHeads,
        });
        return counts.GetAsArray1D(stream);
    }

    public void Dispose() => counts.Dispose();

    private static void Kernel(Arguments arguments)
    {
        var buckets = SharedMemory.Allocate<int>(Buckets);
        for (var i = Group.IdxX; i < Buckets; i += Threads)
            buckets[i] = 0;
        Group.Barrier();
        var start = arguments.Starts[(Grid.IdxX * arguments.Rows) + arguments.Row];
        var table = arguments.Tables.SubView(Grid.IdxX * arguments.Stride);
        for (var head = 0; head < arguments.KeyHeads; head++)
        {
            for (var slot = start + Group.IdxX; slot < arguments.Length; slot += Threads)
            {
                var row = KvBlockLayout.RowOf(table[slot >> KvBlockLayout.Shift], arguments.KeyHeads, head, slot);
                Atomic.Add(ref buckets[BucketOf(arguments.Marks[row])], 1);
            }
        }

        Group.Barrier();
        for (var i = Group.IdxX; i < Buckets; i += Threads)
            arguments.Counts[(Grid.IdxX * Buckets) + i] = buckets[i];
    }

    private struct Arguments
    {
        public ArrayView<float> Marks;
        public ArrayView<int> Tables;
        public ArrayView<int> Starts;
        public ArrayView<int> Counts;
        public int Stride;
        public int Rows;
        public int Row;
        public int Length;
        public int KeyHeads;
    }
}
