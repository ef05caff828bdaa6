namespace DeltaKV.Gpu;

/// <summary>Two brain floats in one 32-bit register, the first in the low half. An extension to ILGPU's dialect.</summary>
/// <param name="bits">The 32 bits.</param>
public readonly struct BFloat16x2(uint bits) : IEquatable<BFloat16x2>
{
    /// <summary>The 32 bits.</summary>
    public uint Bits { get; } = bits;

    /// <summary>The first number.</summary>
    public float Low => BitConverter.UInt32BitsToSingle(Bits << 16);

    /// <summary>The second number.</summary>
    public float High => BitConverter.UInt32BitsToSingle(Bits & 0xffff0000u);

    /// <summary>Whether the bits are equal.</summary>
    public static bool operator ==(BFloat16x2 left, BFloat16x2 right) => left.Bits == right.Bits;

    /// <summary>Whether the bits differ.</summary>
    public static bool operator !=(BFloat16x2 left, BFloat16x2 right) => left.Bits != right.Bits;

    /// <summary>Rounds both numbers to the nearest, ties to even, and packs them.</summary>
    public static BFloat16x2 FromSingles(float low, float high) => new(Pack(high, low));

    /// <summary><c>a * b + c</c> for both halves, rounded once to brain float.</summary>
    public static BFloat16x2 FusedMultiplyAdd(BFloat16x2 a, BFloat16x2 b, BFloat16x2 c) => new(Fma(a.Bits, b.Bits, c.Bits));

    /// <inheritdoc/>
    public bool Equals(BFloat16x2 other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16x2 other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => Bits.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"({Low}, {High})";

    [PtxInstruction("cvt.rn.bf16x2.f32 {r0}, {0}, {1};", Pure = true)]
    private static uint Pack(float high, float low) =>
        ((uint)BFloat16.FromSingle(high).Bits << 16) | BFloat16.FromSingle(low).Bits;

    [PtxInstruction("fma.rn.bf16x2 {r0}, {0}, {1}, {2};", Pure = true)]
    private static uint Fma(uint a, uint b, uint c)
    {
        BFloat16x2 x = new(a), y = new(b), z = new(c);
        return Pack(
            (float)Math.FusedMultiplyAdd(x.High, y.High, (double)z.High),
            (float)Math.FusedMultiplyAdd(x.Low, y.Low, (double)z.Low));
    }
}
