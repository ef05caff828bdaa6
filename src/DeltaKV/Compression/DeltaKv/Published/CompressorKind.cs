namespace DeltaKV.Compression.DeltaKv.Published;

/// <summary>The networks that published compressors are made of.</summary>
internal enum CompressorKind
{
    /// <summary>One linear layer, <c>.weight</c>.</summary>
    Linear,

    /// <summary>Linear, GELU, linear: <c>.0.weight</c> and <c>.2.weight</c>.</summary>
    Gelu,

    /// <summary><c>w3(silu(x1) * x2)</c> with x1 and x2 the halves of <c>w12 x</c>.</summary>
    SwiGlu,
}
