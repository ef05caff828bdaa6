using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>fma.rn.f16 and f16x2, rounded once.</summary>
/// <remarks>
/// The product of two halves is exact in single precision. Their sum with the addend is rounded to odd, by what an error-free addition says was lost, so
/// that the final rounding to 11 bits sees which side of a tie the true sum was on. Source: Boldo and Melquiond, Emulation of FMA, 2008.
/// </remarks>
internal readonly struct PackedHalfFma : ITernaryOperation<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c)
    {
        var mask = Vector512.Create(0xFFFFu);
        return Half(a & mask, b & mask, c & mask) | (Half(a >> 16, b >> 16, c >> 16) << 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Half(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c)
    {
        var product = Float16Format.ToSingle(a) * Float16Format.ToSingle(b);
        var addend = Float16Format.ToSingle(c);
        var sum = product + addend;
        var back = sum - product;
        var lost = (product - (sum - back)) + (addend - back);
        // One unit towards what was lost makes an even last bit odd.
        var bits = sum.AsUInt32();
        var away = Vector512.Equals((lost.AsUInt32() ^ bits) & Vector512.Create(0x8000_0000u), Vector512<uint>.Zero);
        var odd = Vector512.ConditionalSelect(away, bits + Vector512<uint>.One, bits - Vector512<uint>.One);
        var isInexact = Vector512.GreaterThan(Vector512.Abs(lost), Vector512<float>.Zero).AsUInt32();
        var isEven = Vector512.Equals(bits & Vector512<uint>.One, Vector512<uint>.Zero);
        return Float16Format.FromSingle(Vector512.ConditionalSelect(isInexact & isEven, odd, bits).AsSingle());
    }
}
