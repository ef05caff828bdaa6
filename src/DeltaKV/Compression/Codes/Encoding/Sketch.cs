using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>
/// A short form of a kv row that keeps distances: its products with 128 vectors of random signs. For a difference d, <c>|sketch(d)|^2</c> is <c>|d|^2</c> within an
/// eighth (one standard deviation), whatever the direction of d, so who is near by sketch is a candidate for who is near.
/// </summary>
/// <remarks>
/// The signs come from a hash of where they are needed, in the order of tensor-core fragments, so there is no matrix to store or read.
/// Source: Johnson and Lindenstrauss, 1984; signs: Achlioptas, 2003.
/// </remarks>
internal static class Sketch
{
    /// <summary>Elements of a sketch.</summary>
    internal const int Width = 128;

    /// <summary>Bytes of a sketch and its squared norm.</summary>
    internal const int Bytes = (Width * 2) + sizeof(float);

    /// <summary>Groups that share the references of a search among sketches.</summary>
    internal const int Splits = 4;

    /// <summary>Candidates of a token: the best four of each of four lanes' columns and every split.</summary>
    internal const int Candidates = Splits * 16;

    // 2^-3.5, so that a sketch is as long as what it stands for, to within one percent: 128 * 0.0884^2 = 1.
    private const uint Weight = 0x2DA82DA8;

    /// <summary>Signs of a lane's elements of eight column blocks in a k-step: bit 4n + 2h + e is element e of the lane's lower (h = 0) or upper pair of block n.</summary>
    internal static uint Signs(int step, int lane, int half)
    {
        var x = (((uint)step * 64) + (uint)(half * 32) + (uint)lane) * 0x9E3779B9u;
        x = (x ^ (x >> 16)) * 0x7FEB352Du;
        x = (x ^ (x >> 15)) * 0x846CA68Bu;
        return x ^ (x >> 16);
    }

    /// <summary>The right operand of column block <paramref name="block"/> of eight, from its signs.</summary>
    internal static UInt2 Fragment(uint signs, int block)
    {
        var bits = signs >> (4 * block);
        return new UInt2(Weight | ((bits & 1) << 15) | ((bits & 2) << 30), Weight | ((bits & 4) << 13) | ((bits & 8) << 28));
    }
}
