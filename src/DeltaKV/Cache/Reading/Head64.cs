namespace DeltaKV.Cache.Reading;

/// <summary>Heads of 64 elements.</summary>
internal readonly struct Head64 : IHeadShape
{
    /// <inheritdoc/>
    public static int HeadDim => 64;

    /// <inheritdoc/>
    public static int PairsPerPass => 4;
}
