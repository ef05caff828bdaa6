namespace DeltaKV.Engine;

/// <summary>What weights, activations and the uncompressed cache are stored as.</summary>
public enum ModelPrecision
{
    /// <summary>bf16 with sums in fp32.</summary>
    BFloat16,

    /// <summary>fp32 throughout: slow, for comparing with a reference.</summary>
    FullPrecision,
}
