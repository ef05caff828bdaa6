using DeltaKV.Cache;
using DeltaKV.Engine;
using DeltaKV.Tests.Cache;

namespace DeltaKV.Tests.Engine;

/// <summary>Runs <see cref="HashModel"/> over real block tables: tokens are written to their slots and the whole history is read back from there.</summary>
internal sealed class HashModelRunner : IModelRunner
{
    private readonly TokenBlockStore store;
    private readonly List<int> sampled = [];

    internal HashModelRunner(int blockCount, int blockSize, bool prefixCaching = true)
    {
        store = new TokenBlockStore(blockCount, blockSize);
        Paged = new PagedKvCache(blockCount, blockSize, bytesPerToken: 8, store, prefixCaching);
    }

    internal PagedKvCache Paged { get; }

    public IKvCache Cache => Paged;

    internal bool IsDisposed { get; private set; }

    internal int Steps { get; private set; }

    internal int MixedSteps { get; private set; }

    internal int LargestBatch { get; private set; }

    /// <summary>Called at the beginning of every step.</summary>
    internal Action<ScheduledBatch> OnForward { get; set; } = _ => { };

    public ReadOnlySpan<int> Forward(ScheduledBatch batch)
    {
        Steps++;
        MixedSteps += batch.DecodeCount > 0 && batch.DecodeCount < batch.Count ? 1 : 0;
        LargestBatch = Math.Max(LargestBatch, batch.Count);
        OnForward(batch);
        // As on the device: first every sequence's keys and values are stored, then every sequence reads.
        foreach (var entry in batch.Entries)
        {
            Assert.Equal(entry.Start, entry.Sequence.Cache.Length);
            for (var i = 0; i < entry.Count; i++)
                store.Write(entry.Blocks, entry.Start + i, entry.Tokens[i]);
        }
        sampled.Clear();
        foreach (var entry in batch.Entries)
        {
            var blocks = entry.Blocks;
            sampled.Add(entry.Samples
                ? HashModel.Next(position => store.Read(blocks, position), entry.End, entry.Sequence.Options, entry.Sequence.Seed)
                : int.MinValue);
        }
        return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(sampled);
    }

    public void Dispose() => IsDisposed = true;
}
