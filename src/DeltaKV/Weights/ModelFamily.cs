namespace DeltaKV.Weights;

/// <summary>The architectures this engine runs. They share one forward pass; the differences are fields of <see cref="ModelConfig"/>.</summary>
public enum ModelFamily
{
    /// <summary>Llama 3, 3.1, 3.2 and models of the same layout.</summary>
    Llama,

    /// <summary>Mistral without a sliding window.</summary>
    Mistral,

    /// <summary>Qwen2 and Qwen2.5: bias on the query, key and value projections.</summary>
    Qwen2,

    /// <summary>Qwen3: RMSNorm on every query and key head before RoPE.</summary>
    Qwen3,
}
