using DeltaKV.Gpu;

namespace DeltaKV.Cache;

/// <summary>The block tables of a step on the device, <c>[sequences, stride]</c>, at an address that never changes.</summary>
internal sealed class BlockTables : IDisposable
{
    private readonly PageLockedArray1D<int> staging;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> device;

    internal BlockTables(Accelerator accelerator, int maxSequences, int stride)
    {
        Stride = stride;
        staging = accelerator.AllocatePageLocked1D<int>((long)maxSequences * stride);
        device = accelerator.Allocate1D<int>((long)maxSequences * stride);
    }

    /// <summary>Entries of a row: the most blocks a sequence can have.</summary>
    internal int Stride { get; }

    internal ArrayView<int> View => device.View;

    /// <summary>Copies the rows of these sequences. The previous upload must have finished, as it has when the last step's tokens were read.</summary>
    internal void Upload(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences)
    {
        if (sequences.IsEmpty)
            return;
        var rows = staging.Span;
        var used = 0;
        for (var i = 0; i < sequences.Length; i++)
        {
            var blocks = sequences[i].Cache.Blocks.Span;
            blocks.CopyTo(rows[(i * Stride)..]);
            used = (i * Stride) + blocks.Length;
        }

        device.View.BaseView.CopyFromPageLockedAsync(stream, staging, used);
    }

    public void Dispose()
    {
        staging.Dispose();
        device.Dispose();
    }
}
