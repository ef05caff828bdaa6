using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>The token maps of a step on the device, at addresses that never change: a table per pool <c>[sequences, stride]</c>, and the bounds.</summary>
internal sealed class CodedTables : IDisposable
{
    private readonly Table full;
    private readonly Table window;
    private readonly Table? codes;
    private readonly Table? kivi;
    private readonly Table references;
    private readonly Table bounds;
    private readonly Table? tokens;
    private readonly int recordsPerBlock;

    internal CodedTables(Accelerator accelerator, CodedKvFormat format, int maxSequences, int maxTokens)
    {
        full = new Table(accelerator, maxSequences, CodedKvFormat.Blocks(maxTokens, KvBlockLayout.Size));
        window = new Table(accelerator, maxSequences, CodedKvFormat.Blocks(maxTokens, CodedKvFormat.BlockTokens));
        recordsPerBlock = format.CodeTokens / CodedKvFormat.BlockTokens;
        var blocks = CodedKvFormat.Blocks(maxTokens, format.CodeTokens);
        codes = format.Codecs.Count > 0 ? new Table(accelerator, maxSequences, blocks * recordsPerBlock) : null;
        kivi = format.HasKivi ? new Table(accelerator, maxSequences, blocks) : null;
        references = new Table(accelerator, maxSequences, CodedKvFormat.Blocks(format.ReferencesBelow(maxTokens), CodedKvFormat.BlockTokens) + 1);
        bounds = new Table(accelerator, maxSequences, 2);
        tokens = format.RecomputesFirstLayer ? new Table(accelerator, maxSequences, maxTokens) : null;
    }

    internal ArrayView<int> Full => full.View;

    internal int FullStride => full.Stride;

    internal ArrayView<int> Window => window.View;

    internal int WindowStride => window.Stride;

    /// <summary>Blocks of records by 16 tokens.</summary>
    internal ArrayView<int> Codes => codes?.View ?? default;

    internal int CodeStride => codes?.Stride ?? 0;

    /// <summary>Blocks of layers quantised as in KIVI by 32 tokens.</summary>
    internal ArrayView<int> Kivi => kivi?.View ?? default;

    internal int KiviStride => kivi?.Stride ?? 0;

    internal ArrayView<int> References => references.View;

    internal int ReferenceStride => references.Stride;

    /// <summary>Token ids by position, where a layer is recomputed from them.</summary>
    internal ArrayView<int> Tokens => tokens?.View ?? default;

    internal int TokenStride => tokens?.Stride ?? 0;

    internal ArrayView<ReadBounds> Bounds => bounds.View.Cast<ReadBounds>();

    /// <summary>Copies the maps of these sequences. The previous copy must have finished, as it has when the last step's tokens were read.</summary>
    internal void Upload(AcceleratorStream stream, ReadOnlySpan<SequenceStep> steps)
    {
        if (steps.IsEmpty)
            return;
        for (var row = 0; row < steps.Length; row++)
        {
            var sequence = (CodedSequence)steps[row].Cache;
            sequence.Row = row;
            full.Fill(row, sequence.Map.Full);
            window.Fill(row, sequence.Map.Window);
            codes?.FillParts(row, sequence.Map.Codes, recordsPerBlock);
            kivi?.Fill(row, sequence.Map.Codes);
            references.Fill(row, sequence.Map.References);
            ReadOnlySpan<int> ends = [sequence.CodedStart, sequence.CodedEnd];
            bounds.Fill(row, ends);
            // Only coded tokens are asked for.
            tokens?.Fill(row, sequence.CodedTokens);
        }

        full.Upload(stream);
        window.Upload(stream);
        codes?.Upload(stream);
        kivi?.Upload(stream);
        references.Upload(stream);
        bounds.Upload(stream);
        tokens?.Upload(stream);
    }

    public void Dispose()
    {
        full.Dispose();
        window.Dispose();
        codes?.Dispose();
        kivi?.Dispose();
        references.Dispose();
        bounds.Dispose();
        tokens?.Dispose();
    }

    private sealed class Table(Accelerator accelerator, int rows, int stride) : IDisposable
    {
        private readonly PageLockedArray1D<int> staging = accelerator.AllocatePageLocked1D<int>((long)rows * Math.Max(stride, 1));
        private readonly MemoryBuffer1D<int, Stride1D.Dense> device = accelerator.Allocate1D<int>((long)rows * Math.Max(stride, 1));
        private int used;

        internal int Stride { get; } = Math.Max(stride, 1);

        internal ArrayView<int> View => device.View;

        internal void Fill(int row, ReadOnlySpan<int> entries)
        {
            entries.CopyTo(staging.Span[(row * Stride)..]);
            used = entries.Length == 0 ? used : (row * Stride) + entries.Length;
        }

        internal void Fill(int row, List<int> entries) => Fill(row, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(entries));

        /// <summary>Every block as so many consecutive ones.</summary>
        internal void FillParts(int row, List<int> entries, int parts)
        {
            if (parts == 1)
            {
                Fill(row, entries);
                return;
            }

            var target = staging.Span[(row * Stride)..];
            for (var i = 0; i < entries.Count * parts; i++)
                target[i] = entries[i / parts] == CodedBlocks.None ? CodedBlocks.None : (entries[i / parts] * parts) + (i % parts);
            used = entries.Count == 0 ? used : (row * Stride) + (entries.Count * parts);
        }

        internal void Upload(AcceleratorStream stream)
        {
            if (used > 0)
                device.View.BaseView.CopyFromPageLockedAsync(stream, staging, used);
            used = 0;
        }

        public void Dispose()
        {
            staging.Dispose();
            device.Dispose();
        }
    }
}
