namespace DeltaKV.Tests.Compression.Codes;

/// <summary>Activations in double.</summary>
internal static class ScalarNetwork
{
    internal static double Silu(double x) => x / (1 + Math.Exp(-x));

    internal static double Gelu(double x) => 0.5 * x * MathNet.Numerics.SpecialFunctions.Erfc(-x / Math.Sqrt(2));
}
