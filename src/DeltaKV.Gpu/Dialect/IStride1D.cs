namespace DeltaKV.Gpu;

/// <summary>How a 1D view maps an index to an element.</summary>
public interface IStride1D
{
    /// <summary>The distance of neighbouring elements, in elements.</summary>
    int StrideExtent { get; }
}
