namespace DeltaKV.Kernels.Attention;

/// <summary>Constants of the paged layout.</summary>
internal static class KvBlockLayout
{
    /// <summary>Tokens of a block.</summary>
    internal const int Size = 1 << Shift;

    /// <summary>Binary logarithm of <see cref="Size"/>.</summary>
    internal const int Shift = 6;
}
