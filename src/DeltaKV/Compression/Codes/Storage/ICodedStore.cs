namespace DeltaKV.Compression.Codes.Storage;

/// <summary>The memory behind the block numbers of a coded cache. Everything happens in stream order.</summary>
internal interface ICodedStore
{
    /// <summary>Copies a block of the raw layers.</summary>
    void CopyFull(int source, int target);

    /// <summary>Copies a raw block of the compressed layers.</summary>
    void CopyWindow(int source, int target);

    /// <summary>Copies a block of references.</summary>
    void CopyReferences(int source, int target);

    /// <summary>Compresses 16-token groups of sequences of the last prepared step.</summary>
    void Compress(IReadOnlyList<Encoding.FlushItem> items);
}
