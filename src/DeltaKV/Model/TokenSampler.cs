using System.Numerics.Tensors;
using DeltaKV.Engine;
using DeltaKV.Gpu;

namespace DeltaKV.Model;

/// <summary>Chooses the next token of every entry that samples, from logits <c>[rows, vocabulary]</c> in the entries' order.</summary>
internal sealed class TokenSampler(AcceleratorStream stream, int vocabulary, int maxRows) : IDisposable
{
    private readonly PageLockedArray1D<float> host = stream.Accelerator.AllocatePageLocked1D<float>((long)vocabulary * maxRows);

    internal void Sample(ScheduledBatch batch, ArrayView<float> logits, int[] tokens)
    {
        logits.CopyToPageLockedAsync(stream, host);
        stream.Synchronize();
        var row = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            if (!batch.Entries[i].Samples && i >= batch.DecodeCount)
                continue;
            if (!batch.Entries[i].Sequence.Options.IsGreedy)
                throw new NotSupportedException("Only greedy sampling is on the device so far.");
            tokens[i] = TensorPrimitives.IndexOfMax(host.Span.Slice(row++ * vocabulary, vocabulary));
        }
    }

    public void Dispose() => host.Dispose();
}
