namespace DeltaKV.Gpu;

/// <summary>An index or extent of one, two or three dimensions.</summary>
public interface IIndex
{
    /// <summary>The number of elements of an extent of this size.</summary>
    long Size { get; }
}
