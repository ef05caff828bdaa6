using System.Runtime.InteropServices;
using DeltaKV.Cache;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>The maps of a step on the device, at addresses that never change: block numbers <c>[sequences, layers, stride]</c>, starts <c>[layers, sequences]</c>.</summary>
/// <remarks>A row is copied only when its sequence or the sequence's map has changed: while a sequence decodes, every 64 tokens.</remarks>
internal sealed class EvictionTables : IDisposable
{
    private readonly int layers;
    private readonly int rows;
    private readonly PageLockedArray1D<int>[] staging;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> blocks;
    private readonly PageLockedArray1D<int> startStaging;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> starts;
    private readonly long[] versions;

    internal EvictionTables(Accelerator accelerator, EvictionFormat format, int rows, int maxTokens)
    {
        (layers, this.rows) = (format.LayerCount, rows);
        Kept = format.Kept is null ? null : new KeptTables(accelerator, format, rows, maxTokens);
        Stride = EvictionFormat.Blocks(maxTokens);
        staging = [.. Enumerable.Range(0, rows).Select(_ => accelerator.AllocatePageLocked1D<int>(RowEntries))];
        blocks = accelerator.Allocate1D<int>((long)rows * RowEntries);
        startStaging = accelerator.AllocatePageLocked1D<int>(layers * rows);
        starts = accelerator.Allocate1D<int>(layers * rows);
        versions = new long[rows];
    }

    /// <summary>Where what is coded lies; null: nothing is.</summary>
    internal KeptTables? Kept { get; }

    /// <summary>Rows of the tables.</summary>
    internal int Rows => rows;

    /// <summary>Entries of a layer of a sequence.</summary>
    internal int Stride { get; }

    /// <summary>Entries of a sequence.</summary>
    internal int RowEntries => layers * Stride;

    /// <summary>Bytes on the device.</summary>
    internal static long Bytes(int layers, int rows, int maxTokens) => (long)layers * rows * (EvictionFormat.Blocks(maxTokens) + 1) * sizeof(int);

    /// <summary>Block numbers of a layer; sequences are <see cref="RowEntries"/> apart.</summary>
    internal ArrayView<int> Blocks(int layer) => blocks.View.BaseView.SubView((long)layer * Stride);

    /// <summary>First slots of a layer, by sequence.</summary>
    internal ArrayView<int> Starts(int layer) => starts.View.BaseView.SubView((long)layer * rows, rows);

    /// <summary>Block numbers of a layer of one sequence.</summary>
    internal ArrayView<int> Row(int layer, int row) => Blocks(layer).SubView((long)row * RowEntries, Stride);

    /// <summary>A layer of a sequence; every row of the table is the sequence's.</summary>
    internal KvBlocks<BFloat16> Raw(EvictionMemory memory, int layer, int row) => new(memory.Keys, memory.Values, Row(layer, row), 0, starts: Starts(layer));

    /// <summary>A layer of all sequences.</summary>
    internal KvBlocks<BFloat16> Raw(EvictionMemory memory, int layer) => new(memory.Keys, memory.Values, Blocks(layer), RowEntries, starts: Starts(layer));

    /// <summary>Copies what has changed. The copies of the step before must have finished, as they have when its tokens were read.</summary>
    internal void Upload(AcceleratorStream stream, ReadOnlySpan<SequenceStep> steps)
    {
        var isChanged = false;
        for (var row = 0; row < steps.Length; row++)
        {
            var sequence = (EvictingSequence)steps[row].Cache;
            sequence.Row = row;
            if (versions[row] == sequence.Version)
                continue;
            versions[row] = sequence.Version;
            isChanged = true;
            var target = staging[row].Span;
            for (var layer = 0; layer < layers; layer++)
            {
                CollectionsMarshal.AsSpan(sequence.Layers[layer].Blocks).CopyTo(target[(layer * Stride)..]);
                startStaging[(layer * rows) + row] = sequence.Layers[layer].Start;
            }

            blocks.View.BaseView.SubView((long)row * RowEntries).CopyFromPageLockedAsync(stream, staging[row], RowEntries);
            Kept?.Upload(stream, row, sequence);
        }

        if (!isChanged)
            return;
        starts.View.BaseView.CopyFromPageLockedAsync(stream, startStaging, startStaging.Length);
        Kept?.UploadBounds(stream);
    }

    public void Dispose()
    {
        foreach (var row in staging)
            row.Dispose();
        blocks.Dispose();
        startStaging.Dispose();
        starts.Dispose();
        Kept?.Dispose();
    }
}
