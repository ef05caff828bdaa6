using DeltaKV.Compression.Codes;
using DeltaKV.Gpu;
using Half = DeltaKV.Gpu.Half;

namespace DeltaKV.Compression.Kivi;

/// <summary>Step and zero of a group as they are stored, and the quantiser that they make: rounding the scale first means that nothing is lost twice.</summary>
internal readonly struct KiviScale
{
    private readonly float zero;
    private readonly float inverse;
    private readonly int levels;

    private KiviScale(uint stepBits, uint zeroBits, int offset, int levels)
    {
        (Step, Zero, this.levels) = (stepBits, zeroBits, levels);
        zero = Half.FromBits((ushort)zeroBits).ToSingle();
        var step = Half.FromBits((ushort)stepBits).ToSingle() * (1 << offset);
        // A range too small for a half's step is its zero.
        inverse = step > 0f ? 1f / step : 0f;
    }

    /// <summary>The step times <c>2^-offset</c>: bits of a half.</summary>
    internal uint Step { get; }

    /// <summary>The smallest value: bits of a half.</summary>
    internal uint Zero { get; }

    /// <summary>The scale that spans a range (smallest, largest).</summary>
    /// <param name="range">The range.</param>
    /// <param name="bits">Bits of an integer.</param>
    /// <param name="offset">See <see cref="KiviLayout.Offset"/>.</param>
    internal static KiviScale Of(Float2 range, int bits, int offset)
    {
        var levels = (1 << bits) - 1;
        return new KiviScale(
            Half.FromSingle((range.Y - range.X) / levels / (1 << offset)).Bits, Half.FromSingle(range.X).Bits, offset, levels);
    }

    /// <summary>The nearest integer.</summary>
    internal byte Quantise(float value) => (byte)CodeScale.Nearest((value - zero) * inverse, levels);
}
