namespace DeltaKV.Kernels.Gemm;

/// <summary>What a matrix product does with its sums before it writes them.</summary>
internal interface IEpilogue
{
    /// <summary>Whether the weight is <c>[2n, k]</c>, gate rows before up rows, and <c>silu(gate) * up</c> is written.</summary>
    static abstract bool Gates { get; }

    /// <summary>Whether a vector <c>[n]</c> is added to every row.</summary>
    static abstract bool AddsBias { get; }

    /// <summary>Whether a matrix <c>[m, n]</c> is added.</summary>
    static abstract bool AddsResidual { get; }

    /// <summary>Whether the result is fp32 rather than bf16.</summary>
    static abstract bool WritesSingles { get; }
}
