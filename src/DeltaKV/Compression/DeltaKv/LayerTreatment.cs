namespace DeltaKV.Compression.DeltaKv;

/// <summary>What a layer's cache holds of compressed history.</summary>
internal enum LayerTreatment
{
    /// <summary>Raw rows: the layer stays full.</summary>
    Raw,

    /// <summary>Nothing: the first layer's pre-RoPE kv is a function of the token id alone and is computed again when read.</summary>
    Recomputed,

    /// <summary>Codes.</summary>
    Coded,

    /// <summary>All tokens in 4 bits as KIVI quantises them: a full layer at less than a third of its bytes.</summary>
    Kivi4,

    /// <summary>All tokens in 8 bits as KIVI quantises them.</summary>
    Kivi8,
}
