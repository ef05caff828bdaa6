namespace DeltaKV.Compression.Eviction;

/// <summary>The memory behind the block numbers of an evicting cache. Everything happens in stream order.</summary>
internal interface IEvictionStore
{
    /// <summary>Copies a block.</summary>
    void CopyBlock(int source, int target);

    /// <summary>Ranks the tokens of sequences of the last prepared step and copies those that stay, one job after another.</summary>
    void Evict(IReadOnlyList<EvictionJob> jobs);
}
