namespace DeltaKV.Cache.Reading;

/// <summary>Head dimension as a compile-time constant, and how a pass over it is cut.</summary>
/// <remarks>
/// Reconstruction multiplies codes by columns of the up matrix, eight at a time. Column c = 2t + b of pair j of a pass is element
/// <c>pass * 8P + t * 2P + 2j + b</c> of the lower half of the head, its RoPE partner the same of the upper half: so both halves of a rotation, and
/// 2P neighbouring elements (16 bytes where P = 4), lie in one lane.
/// </remarks>
internal interface IHeadShape
{
    /// <summary>Elements of a head.</summary>
    static abstract int HeadDim { get; }

    /// <summary>Column blocks of eight per half and pass: P.</summary>
    static abstract int PairsPerPass { get; }
}
