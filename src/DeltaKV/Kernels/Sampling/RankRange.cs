namespace DeltaKV.Kernels.Sampling;

/// <summary>Ranks from <see cref="First"/> to <see cref="Last"/>.</summary>
internal readonly struct RankRange(ulong first, ulong last)
{
    internal readonly ulong First = first;
    internal readonly ulong Last = last;
}
