namespace DeltaKV.Cache;

/// <summary>
/// Measured bytes of key/value memory, pool by pool: what the allocators handed out, ids, scales, tables and padding included, beside what
/// an uncompressed bf16 cache of the same tokens holds.
/// </summary>
/// <param name="Tokens">Tokens whose keys and values are kept.</param>
/// <param name="FullBytes">Bytes of an uncompressed bf16 cache of those tokens, without padding or tables.</param>
/// <param name="RawBytes">Uncompressed blocks, unfilled slots included.</param>
/// <param name="ReferenceBytes">Reference tokens of residual compression.</param>
/// <param name="LatentBytes">Compressed codes.</param>
/// <param name="MetadataBytes">Block tables, ids, scales and maps.</param>
public readonly record struct KvUsage(
    long Tokens, long FullBytes, long RawBytes, long ReferenceBytes = 0, long LatentBytes = 0, long MetadataBytes = 0)
{
    /// <summary>All bytes held.</summary>
    public long TotalBytes => RawBytes + ReferenceBytes + LatentBytes + MetadataBytes;

    /// <summary>Bytes held, as a share of the uncompressed bf16 cache; 0 when nothing is kept.</summary>
    public double Ratio => FullBytes == 0 ? 0 : (double)TotalBytes / FullBytes;

    /// <summary>Adds two usages pool by pool.</summary>
    public static KvUsage operator +(KvUsage left, KvUsage right) => Add(left, right);

    /// <summary>Adds two usages pool by pool.</summary>
    public static KvUsage Add(KvUsage left, KvUsage right) => new(
        left.Tokens + right.Tokens,
        left.FullBytes + right.FullBytes,
        left.RawBytes + right.RawBytes,
        left.ReferenceBytes + right.ReferenceBytes,
        left.LatentBytes + right.LatentBytes,
        left.MetadataBytes + right.MetadataBytes);
}
