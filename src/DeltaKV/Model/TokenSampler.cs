using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Model;

/// <summary>Chooses the next token of every entry that samples, from logits <c>[rows, vocabulary]</c> in the entries' order.</summary>
/// <remarks>
/// <see cref="Stage"/> says how, before the step; <see cref="Enqueue"/> is part of the step and of its graph; <see cref="Read"/> waits for it.
/// The kernel writes the tokens into the host's memory. Nothing is staged for rows that take the most likely token as it is.
/// </remarks>
internal sealed class TokenSampler : IDisposable
{
    private readonly SamplingKernel kernel;
    private readonly SamplingSlots slots;
    private readonly PageLockedArray1D<SamplingRow> staging;
    private readonly MemoryBuffer1D<SamplingRow, Stride1D.Dense> rows;
    private readonly PageLockedArray1D<int> chosen;
    private readonly int vocabulary;

    /// <summary>Leading rows on the device that take the most likely token.</summary>
    private int plainRows;

    /// <param name="accelerator">Where the logits are.</param>
    /// <param name="vocabulary">Tokens.</param>
    /// <param name="maxRows">The most rows of a step.</param>
    /// <param name="slotCount">The most sequences that run at once.</param>
    internal TokenSampler(Accelerator accelerator, int vocabulary, int maxRows, int slotCount)
    {
        this.vocabulary = vocabulary;
        kernel = new SamplingKernel(accelerator);
        slots = new SamplingSlots(accelerator, vocabulary, slotCount);
        staging = accelerator.AllocatePageLocked1D<SamplingRow>(maxRows);
        rows = accelerator.Allocate1D<SamplingRow>(maxRows);
        chosen = accelerator.AllocatePageLocked1D<int>(maxRows);
    }

    /// <summary>Bytes on the device.</summary>
    internal static unsafe long Bytes(int vocabulary, int maxRows, int slotCount) =>
        ((long)maxRows * sizeof(SamplingRow)) + SamplingSlots.Bytes(vocabulary, slotCount);

    /// <summary>Whether the logits of an entry's last token are computed: those that sample, and every row of a decode step, whose shape is fixed.</summary>
    internal static bool HasLogits(ScheduledBatch batch, int entry) => entry < batch.DecodeCount || batch.Entries[entry].Samples;

    /// <summary>Brings everything to the device that the rows of this step need; rows beyond the entries' take the most likely token of whatever is there.</summary>
    internal void Stage(AcceleratorStream stream, ScheduledBatch batch, int rowCount)
    {
        var target = staging.Span[..rowCount];
        target.Clear();
        var (row, plain) = (0, true);
        for (var i = 0; i < batch.Count; i++)
        {
            if (!HasLogits(batch, i))
                continue;
            var entry = batch.Entries[i];
            if (entry.Samples && !SamplingRows.IsPlain(entry.Sequence.Options))
            {
                plain = false;
                target[row] = SamplingRows.Create(entry.Sequence.Options, entry.Sequence.Seed, entry.End);
                slots.Prepare(stream, entry.Sequence, ref target[row]);
            }

            row++;
        }

        if (plain && rowCount <= plainRows)
            return;
        rows.View.BaseView.CopyFromPageLockedAsync(stream, staging, rowCount);
        plainRows = plain ? rowCount : 0;
    }

    /// <summary>Enqueues the choice behind the step that computes the logits.</summary>
    internal void Enqueue(AcceleratorStream stream, ArrayView<float> logits, int rowCount) =>
        kernel.Launch(stream, logits, rows.View, slots.Biases, slots.Counts, chosen.ArrayView, rowCount, vocabulary);

    /// <summary>Waits for the step and hands every entry that samples its token.</summary>
    internal void Read(AcceleratorStream stream, ScheduledBatch batch, Span<int> tokens)
    {
        stream.Synchronize();
        var row = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            if (HasLogits(batch, i))
                tokens[i] = chosen[row++];
        }
    }

    /// <summary>A step failed, and how far it came is not known: rebuilds what is kept per sequence when it is next needed.</summary>
    internal void Forget()
    {
        slots.Forget();
        plainRows = 0;
    }

    public void Dispose()
    {
        slots.Dispose();
        staging.Dispose();
        rows.Dispose();
        chosen.Dispose();
    }
}
