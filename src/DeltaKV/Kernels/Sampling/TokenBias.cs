namespace DeltaKV.Kernels.Sampling;

/// <summary>A number added to the logit of a token.</summary>
/// <param name="token">The token.</param>
/// <param name="bias">What is added.</param>
internal readonly struct TokenBias(int token, float bias)
{
    /// <summary>The token.</summary>
    public readonly int Token = token;

    /// <summary>What is added.</summary>
    public readonly float Bias = bias;
}
