namespace DeltaKV.Weights;

/// <summary>How rotary frequencies are scaled beyond the trained context.</summary>
public enum RopeType
{
    /// <summary><c>theta^(-2i/d)</c>, unscaled.</summary>
    Default,

    /// <summary>Every frequency divided by the factor.</summary>
    Linear,

    /// <summary>Llama 3.1: low frequencies divided by the factor, high ones kept, a smooth ramp between.</summary>
    Llama3,

    /// <summary>YaRN (Peng et al., 2023): a ramp over dimensions, and an attention factor.</summary>
    Yarn,
}
