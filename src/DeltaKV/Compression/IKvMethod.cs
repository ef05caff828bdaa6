using DeltaKV.Cache;
using DeltaKV.Gpu;

namespace DeltaKV.Compression;

/// <summary>A way to keep keys and values: what a folder under Compression brings to the registry <see cref="KvMethods"/>.</summary>
internal interface IKvMethod
{
    /// <summary>Bytes of a token of history over all layers.</summary>
    long BytesPerToken { get; }

    /// <summary>Bytes besides history: windows, scratch, tables.</summary>
    long FixedBytes(KvLimits limits);

    /// <summary>Allocates the cache.</summary>
    IKvLayers<BFloat16> Open(KvMethodContext context);
}
