namespace DeltaKV.Cache.Reading;

/// <summary>Heads of 96 elements.</summary>
internal readonly struct Head96 : IHeadShape
{
    /// <inheritdoc/>
    public static int HeadDim => 96;

    /// <inheritdoc/>
    public static int PairsPerPass => 2;
}
