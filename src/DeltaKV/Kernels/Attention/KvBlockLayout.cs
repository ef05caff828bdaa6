namespace DeltaKV.Kernels.Attention;

/// <summary>Constants of the paged layout.</summary>
internal static class KvBlockLayout
{
    /// <summary>Tokens of a block.</summary>
    internal const int Size = 64;
}
