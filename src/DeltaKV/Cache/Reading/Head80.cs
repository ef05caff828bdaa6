namespace DeltaKV.Cache.Reading;

/// <summary>Heads of 80 elements.</summary>
internal readonly struct Head80 : IHeadShape
{
    /// <inheritdoc/>
    public static int HeadDim => 80;

    /// <inheritdoc/>
    public static int PairsPerPass => 1;
}
