namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Up to four items of one sequence, consecutive in the list and in position, that search together; an element of a device table.</summary>
/// <param name="firstItem">Number of the first item.</param>
/// <param name="itemCount">1 to 4.</param>
internal readonly struct SearchGroup(int firstItem, int itemCount)
{
    /// <summary>Number of the first item.</summary>
    public readonly int FirstItem = firstItem;

    /// <summary>Number of items.</summary>
    public readonly int ItemCount = itemCount;
}
