namespace DeltaKV.Kernels.Attention;

/// <summary>Which slots of a sequence attention reads, decided when a kernel is compiled: all of them, or those from a start on.</summary>
internal interface IKeyRange
{
    /// <summary>Whether <see cref="KvBlocks{T}.Starts"/> is there.</summary>
    static abstract bool HasStart { get; }
}
