using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What one dimension's error would be at each width it may be stored with, and the steps that go with them.</summary>
/// <param name="Nothing">The error when it is not stored.</param>
/// <param name="At2">With 2 bits.</param>
/// <param name="At4">With 4 bits.</param>
/// <param name="At8">With 8 bits.</param>
internal readonly record struct DimensionRate(double Nothing, QuantizerFit At2, QuantizerFit At4, QuantizerFit At8)
{
    /// <summary>The step and error of a width.</summary>
    public QuantizerFit At(ChunkWidth width) => width switch
    {
        ChunkWidth.Bits2 => At2,
        ChunkWidth.Bits4 => At4,
        ChunkWidth.Bits8 => At8,
        _ => new QuantizerFit(1, 0),
    };
}
