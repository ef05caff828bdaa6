namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class PackedHalfFmaTests
{
    [Fact]
    public void Rounds_once()
    {
        var random = new Random(7);
        var (a, b, c) = (Pairs(random), Pairs(random), Pairs(random));
        // Sums next to ties: a large addend and a product far below its last bit.
        for (var i = 0; i < 4096; i++)
        {
            a[i] = Join(Bits(random, 0x0400, 0x1400), Bits(random, 0x8400, 0x9400));
            c[i] = Join(Bits(random, 0x3C00, 0x5000), Bits(random, 0xBC00, 0xD000));
        }

        var actual = LaneKernel.Run<uint, uint, uint, uint>("fma.rn.f16x2 %d, %a, %b, %c;", a, b, c);
        for (var i = 0; i < a.Length; i++)
        {
            Check((ushort)a[i], (ushort)b[i], (ushort)c[i], (ushort)actual[i]);
            Check((ushort)(a[i] >> 16), (ushort)(b[i] >> 16), (ushort)(c[i] >> 16), (ushort)(actual[i] >> 16));
        }
    }

    private static void Check(ushort a, ushort b, ushort c, ushort actual)
    {
        var (x, y, z) = (Widen(a), Widen(b), Widen(c));
        // Exact in double up to 53 bits: the inputs are kept within 2^-40 of each other where they are finite.
        var expected = (System.Half)((x * y) + z);
        var result = BitConverter.UInt16BitsToHalf(actual);
        Assert.True(
            System.Half.IsNaN(expected) ? System.Half.IsNaN(result) : expected == result, $"fma({x:R}, {y:R}, {z:R}) gave {result}, expected {expected}.");
    }

    private static double Widen(ushort bits) => (double)BitConverter.UInt16BitsToHalf(bits);

    private static uint[] Pairs(Random random) => [.. Enumerable.Range(0, 20000).Select(_ => Join(Bits(random, 0, 0x10000), Bits(random, 0, 0x10000)))];

    private static ushort Bits(Random random, int from, int to) => (ushort)random.Next(from, to);

    private static uint Join(ushort low, ushort high) => ((uint)high << 16) | low;
}
