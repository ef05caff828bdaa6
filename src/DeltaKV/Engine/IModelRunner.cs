using DeltaKV.Cache;

namespace DeltaKV.Engine;

/// <summary>The model on its device, as the engine sees it: computes a batch, samples behind it, owns the cache. Used by the engine thread alone.</summary>
internal interface IModelRunner : IDisposable
{
    /// <summary>The key/value memory that <see cref="Forward"/> reads and writes.</summary>
    IKvCache Cache { get; }

    /// <summary>
    /// Computes the batch, stores keys and values of its tokens in the entries' caches, and samples. Returns one token per entry, valid until
    /// the next call; that of an entry which does not sample is undefined.
    /// </summary>
    /// <remarks>
    /// What an entry stores and samples depends on its own sequence only. After an exception the same tokens may be computed again, alone or
    /// in another batch, with the same result.
    /// </remarks>
    /// <exception cref="OperationCanceledException">The batch was <see cref="ScheduledBatch.IsAbandoned"/>.</exception>
    ReadOnlySpan<int> Forward(ScheduledBatch batch);
}
