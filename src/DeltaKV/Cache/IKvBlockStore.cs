namespace DeltaKV.Cache;

/// <summary>The memory behind block numbers.</summary>
internal interface IKvBlockStore
{
    /// <summary>
    /// Copies a block over all layers, in stream order: after all work submitted before, and before all work submitted later, so that the
    /// caller may hand out the source again at once.
    /// </summary>
    void CopyBlock(int source, int destination);

    /// <summary>All sequences of a step are committed: what is derived from whole runs of tokens can be made now.</summary>
    void Flush()
    {
    }
}
