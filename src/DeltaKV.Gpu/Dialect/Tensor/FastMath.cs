namespace DeltaKV.Gpu;

/// <summary>Approximations the GPU has instructions for. An extension to ILGPU's dialect.</summary>
/// <remarks>Errors as the PTX ISA states them, about 2^-22 relative; the host bodies are exact to rounding.</remarks>
public static class FastMath
{
    /// <summary>2 to the power <paramref name="x"/>.</summary>
    [PtxInstruction("ex2.approx.ftz.f32 {r0}, {0};", Pure = true)]
    public static float Ex2(float x) => (float)Math.Pow(2, x);

    /// <summary>The binary logarithm.</summary>
    [PtxInstruction("lg2.approx.ftz.f32 {r0}, {0};", Pure = true)]
    public static float Lg2(float x) => MathF.Log2(x);

    /// <summary>e to the power <paramref name="x"/>, through <see cref="Ex2"/>.</summary>
    public static float Exp(float x) => Ex2(x * 1.4426950408889634f);

    /// <summary>One over the square root.</summary>
    [PtxInstruction("rsqrt.approx.ftz.f32 {r0}, {0};", Pure = true)]
    public static float Rsqrt(float x) => 1f / MathF.Sqrt(x);

    /// <summary>One over <paramref name="x"/>.</summary>
    [PtxInstruction("rcp.approx.ftz.f32 {r0}, {0};", Pure = true)]
    public static float Rcp(float x) => 1f / x;

    /// <summary><paramref name="x"/> over <paramref name="y"/>.</summary>
    [PtxInstruction("div.full.ftz.f32 {r0}, {0}, {1};", Pure = true)]
    public static float Divide(float x, float y) => x / y;

    /// <summary>The square root.</summary>
    [PtxInstruction("sqrt.approx.ftz.f32 {r0}, {0};", Pure = true)]
    public static float Sqrt(float x) => MathF.Sqrt(x);

    /// <summary>The hyperbolic tangent.</summary>
    [PtxInstruction("tanh.approx.f32 {r0}, {0};", Pure = true)]
    public static float Tanh(float x) => MathF.Tanh(x);

    /// <summary>The sine; good for small arguments only.</summary>
    [PtxInstruction("sin.approx.ftz.f32 {r0}, {0};", Pure = true)]
    public static float Sin(float x) => MathF.Sin(x);

    /// <summary>The cosine; good for small arguments only.</summary>
    [PtxInstruction("cos.approx.ftz.f32 {r0}, {0};", Pure = true)]
    public static float Cos(float x) => MathF.Cos(x);

    /// <summary><c>a * b + c</c>, rounded once.</summary>
    [PtxInstruction("fma.rn.f32 {r0}, {0}, {1}, {2};", Pure = true)]
    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);
}
