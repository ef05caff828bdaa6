using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Eviction;

/// <summary>The last queries of prompts, kept from the steps that compute them until the prompt's end, layer by layer: they may lie in several chunks.</summary>
/// <remarks>Shape <c>[prompts, layers, window, queryHeads * d]</c> bf16.</remarks>
internal sealed class QueryStore : IDisposable
{
    private readonly EvictionFormat format;
    private readonly CopyKernel copy;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> queries;
    private readonly List<(int Row, int Count, int Slot, int Index)> items = [];

    internal QueryStore(Accelerator accelerator, EvictionFormat format, int slots)
    {
        this.format = format;
        copy = new CopyKernel(accelerator);
        queries = accelerator.Allocate1D<BFloat16>(Math.Max(1, slots * format.QueryBytes / sizeof(ushort)));
    }

    /// <summary>Whether the step prepared last has queries to keep.</summary>
    internal bool IsNeeded => items.Count > 0;

    /// <summary>Finds the rows of a step whose queries will be wanted.</summary>
    internal void Prepare(ReadOnlySpan<SequenceStep> steps)
    {
        items.Clear();
        foreach (var step in steps)
        {
            var sequence = (EvictingSequence)step.Cache;
            var from = Math.Max(sequence.FirstQuery, sequence.Length);
            var to = Math.Min(sequence.PromptLength, sequence.Length + step.Rows);
            if (sequence.QuerySlot >= 0 && from < to)
                items.Add((step.FirstRow + from - sequence.Length, to - from, sequence.QuerySlot, from - sequence.FirstQuery));
        }
    }

    /// <summary>Keeps them, rotated as they are now.</summary>
    internal void Keep(AcceleratorStream stream, int layer, ArrayView<BFloat16> qkv)
    {
        foreach (var (row, count, slot, index) in items)
        {
            copy.Launch(
                stream,
                qkv.SubView((long)row * format.Shape.QkvWidth).Cast<UInt4>(),
                Of(slot, layer).SubView((long)index * format.Shape.OutputWidth).Cast<UInt4>(),
                count,
                format.Shape.QkvWidth / 8,
                format.Shape.OutputWidth / 8);
        }
    }

    /// <summary>A prompt's queries of a layer <c>[window, queryHeads * d]</c>.</summary>
    internal ArrayView<BFloat16> Of(int slot, int layer)
    {
        var size = (long)format.Window * format.Shape.OutputWidth;
        return queries.View.BaseView.SubView((((long)slot * format.LayerCount) + layer) * size, size);
    }

    public void Dispose() => queries.Dispose();

    /// <summary>Copies the beginnings of rows.</summary>
    private sealed class CopyKernel(Accelerator accelerator)
    {
        private readonly KernelHandle<Arguments> copy = new(accelerator, Kernel);

        internal void Launch(AcceleratorStream stream, ArrayView<UInt4> source, ArrayView<UInt4> target, int rows, int sourceStride, int width) =>
            copy.Launch(stream, new KernelConfig(rows, 128), new Arguments { Source = source, Target = target, SourceStride = sourceStride, Width = width });

        private static void Kernel(Arguments arguments)
        {
            for (var i = Group.IdxX; i < arguments.Width; i += Group.DimX)
                arguments.Target[((long)Grid.IdxX * arguments.Width) + i] = arguments.Source[((long)Grid.IdxX * arguments.SourceStride) + i];
        }

        private struct Arguments
        {
            public ArrayView<UInt4> Source;
            public ArrayView<UInt4> Target;
            public int SourceStride;
            public int Width;
        }
    }
}
