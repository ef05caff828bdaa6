using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>Cosine and sine of a rotary angle, reduced as the append kernel reduces it, so that a reconstructed key is turned by the very same numbers.</summary>
internal static class RopeRotation
{
    /// <summary>(cos, sin) of an angle of any size, times <paramref name="scale"/>.</summary>
    internal static Float2 Of(float angle, float scale)
    {
        var turns = MathF.Round(angle * 0.15915494f);
        angle = FastMath.Fma(turns, -6.2831855f, angle);
        angle = FastMath.Fma(turns, 1.7484556e-7f, angle);
        return new Float2(FastMath.Cos(angle) * scale, FastMath.Sin(angle) * scale);
    }
}
