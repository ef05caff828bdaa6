namespace DeltaKV.Kernels.Sampling;

/// <summary>What is added to the logit of a token.</summary>
internal readonly struct TokenBias(int token, float value)
{
    public readonly int Token = token;
    public readonly float Value = value;
}
