namespace DeltaKV.Cache.Reading;

/// <summary>Heads of 128 elements.</summary>
internal readonly struct Head128 : IHeadShape
{
    /// <inheritdoc/>
    public static int HeadDim => 128;

    /// <inheritdoc/>
    public static int PairsPerPass => 4;
}
