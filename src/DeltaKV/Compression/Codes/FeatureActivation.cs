namespace DeltaKV.Compression.Codes;

/// <summary>The nonlinearity of <see cref="KvFeatures"/>.</summary>
internal enum FeatureActivation
{
    /// <summary><c>silu(gate) * up</c>: two rows of the weight per feature, all gate rows first.</summary>
    SwiGlu,

    /// <summary><c>gelu(x)</c>, the exact one: a row of the weight per feature.</summary>
    Gelu,
}
