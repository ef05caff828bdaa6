using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>The nonlinearities of small networks and their derivatives, in fp32.</summary>
internal static class Activation
{
    /// <summary><c>x / (1 + exp(-x))</c>.</summary>
    internal static float Silu(float x) => x * Sigmoid(x);

    /// <summary>The derivative of <see cref="Silu"/>.</summary>
    internal static float SiluSlope(float x)
    {
        var sigmoid = Sigmoid(x);
        return sigmoid * (1f + (x * (1f - sigmoid)));
    }

    /// <summary><c>x Phi(x)</c> with the normal distribution's Phi: the exact GELU.</summary>
    internal static float Gelu(float x) => x * NormalBelow(x, FastMath.Exp(-0.5f * x * x));

    /// <summary>The derivative of <see cref="Gelu"/>.</summary>
    internal static float GeluSlope(float x)
    {
        var bell = FastMath.Exp(-0.5f * x * x);
        return FastMath.Fma(x * 0.3989422804f, bell, NormalBelow(x, bell));
    }

    private static float Sigmoid(float x) => FastMath.Divide(1f, 1f + FastMath.Exp(-x));

    /// <summary>Phi(x), absolute error below 1e-7; Abramowitz and Stegun, 7.1.26.</summary>
    private static float NormalBelow(float x, float bell)
    {
        var t = FastMath.Divide(1f, FastMath.Fma(MathF.Abs(x), 0.3275911f * 0.7071067812f, 1f));
        var sum = FastMath.Fma(t, 1.061405429f, -1.453152027f);
        sum = FastMath.Fma(t, sum, 1.421413741f);
        sum = FastMath.Fma(t, sum, -0.284496736f);
        sum = FastMath.Fma(t, sum, 0.254829592f);
        var tail = 0.5f * t * sum * bell;
        return x < 0f ? tail : 1f - tail;
    }
}
