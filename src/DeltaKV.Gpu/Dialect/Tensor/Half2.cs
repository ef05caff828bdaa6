namespace DeltaKV.Gpu;

/// <summary>Two halves in one 32-bit register, the first in the low 16 bits. An extension to ILGPU's dialect.</summary>
/// <param name="bits">The 32 bits.</param>
public readonly struct Half2(uint bits) : IEquatable<Half2>
{
    /// <summary>The 32 bits.</summary>
    public uint Bits { get; } = bits;

    /// <summary>The first number.</summary>
    public float Low => Half.FromBits((ushort)Bits).ToSingle();

    /// <summary>The second number.</summary>
    public float High => Half.FromBits((ushort)(Bits >> 16)).ToSingle();

    /// <summary>Whether the bits are equal.</summary>
    public static bool operator ==(Half2 left, Half2 right) => left.Bits == right.Bits;

    /// <summary>Whether the bits differ.</summary>
    public static bool operator !=(Half2 left, Half2 right) => left.Bits != right.Bits;

    /// <summary>Adds both halves, each rounded once.</summary>
    public static Half2 operator +(Half2 left, Half2 right) => new(AddBits(left.Bits, right.Bits));

    /// <summary>Adds both halves, each rounded once.</summary>
    public static Half2 Add(Half2 left, Half2 right) => left + right;

    /// <summary>Rounds both numbers to the nearest, ties to even, and packs them.</summary>
    public static Half2 FromSingles(float low, float high) => new(Pack(high, low));

    /// <summary><c>a * b + c</c> for both halves, each rounded once.</summary>
    public static Half2 FusedMultiplyAdd(Half2 a, Half2 b, Half2 c) => new(Fma(a.Bits, b.Bits, c.Bits));

    /// <summary>Both halves hold the number in the low half.</summary>
    public static Half2 BroadcastLow(uint bits) => new((bits & 0xffff) | (bits << 16));

    /// <summary>Both halves hold the number in the high half.</summary>
    public static Half2 BroadcastHigh(uint bits) => new((bits >> 16) | (bits & 0xffff0000));

    /// <inheritdoc/>
    public bool Equals(Half2 other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Half2 other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => Bits.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"({Low}, {High})";

    [PtxInstruction("cvt.rn.f16x2.f32 {r0}, {0}, {1};", Pure = true)]
    private static uint Pack(float high, float low) => ((uint)Half.FromSingle(high).Bits << 16) | Half.FromSingle(low).Bits;

    [PtxInstruction("add.rn.f16x2 {r0}, {0}, {1};", Pure = true)]
    private static uint AddBits(uint a, uint b)
    {
        Half2 x = new(a), y = new(b);
        return Pack(x.High + y.High, x.Low + y.Low);
    }

    [PtxInstruction("fma.rn.f16x2 {r0}, {0}, {1}, {2};", Pure = true)]
    private static uint Fma(uint a, uint b, uint c)
    {
        // The product of two halves is exact in double; the sum rounds once more than the hardware only beyond 53 bits.
        Half2 x = new(a), y = new(b), z = new(c);
        var high = (System.Half)(((double)x.High * y.High) + z.High);
        var low = (System.Half)(((double)x.Low * y.Low) + z.Low);
        return ((uint)BitConverter.HalfToUInt16Bits(high) << 16) | BitConverter.HalfToUInt16Bits(low);
    }
}
