namespace DeltaKV.Compression.Eviction;

/// <summary>The memory behind the block numbers of an evicting cache. Everything happens in stream order.</summary>
internal interface IEvictionStore
{
    /// <summary>Copies a block.</summary>
    void CopyBlock(int source, int target);

    /// <summary>Counts the marks of a sequence of the last prepared step, <c>[layers, MarkHistogram.Buckets]</c>; waits for the device.</summary>
    int[] CountMarks(int row, int length);

    /// <summary>Ranks the tokens of sequences of the last prepared step and copies those that stay, one job after another.</summary>
    void Evict(IReadOnlyList<EvictionJob> jobs);

    /// <summary>Codes slots of sequences of the last prepared step.</summary>
    void Code(IReadOnlyList<CodingRange> ranges);
}
