namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class IntegerArithmeticTests
{
    [Fact]
    public void Adds_subtracts_and_multiplies_with_wrapping()
    {
        var (a, b, c) = Inputs.Triples<int>();
        AssertAll(a, b, LaneKernel.Run<int, int, int>("add.s32 %d, %a, %b;", a, b), (x, y) => x + y);
        AssertAll(a, b, LaneKernel.Run<int, int, int>("sub.s32 %d, %a, %b;", a, b), (x, y) => x - y);
        AssertAll(a, b, LaneKernel.Run<int, int, int>("mul.lo.s32 %d, %a, %b;", a, b), (x, y) => x * y);
        AssertAll(a, b, LaneKernel.Run<int, int, int>("mul.hi.s32 %d, %a, %b;", a, b), (x, y) => (int)(((long)x * y) >> 32));
        AssertAll(a, b, LaneKernel.Run<int, int, int>("mul.hi.u32 %d, %a, %b;", a, b), (x, y) => (int)(((ulong)(uint)x * (uint)y) >> 32));
        AssertAll(a, b, LaneKernel.Run<int, int, long>("mul.wide.s32 %d, %a, %b;", a, b), (x, y) => (long)x * y);
        AssertAll(a, b, LaneKernel.Run<int, int, long>("mul.wide.u32 %d, %a, %b;", a, b), (x, y) => (long)((ulong)(uint)x * (uint)y));
        var mad = LaneKernel.Run<int, int, int, int>("mad.lo.s32 %d, %a, %b, %c;", a, b, c);
        for (var i = 0; i < a.Length; i++)
            Assert.Equal((a[i] * b[i]) + c[i], mad[i]);
        AssertAll(
            a, b, LaneKernel.Run<int, int, int>("add.sat.s32 %d, %a, %b;", a, b), (x, y) => (int)Math.Clamp((long)x + y, int.MinValue, int.MaxValue));
    }

    [Fact]
    public void Handles_64_bits()
    {
        var (a, b, c) = Inputs.Triples<long>();
        AssertAll(a, b, LaneKernel.Run<long, long, long>("add.s64 %d, %a, %b;", a, b), (x, y) => x + y);
        AssertAll(a, b, LaneKernel.Run<long, long, long>("sub.u64 %d, %a, %b;", a, b), (x, y) => x - y);
        AssertAll(a, b, LaneKernel.Run<long, long, long>("mul.lo.s64 %d, %a, %b;", a, b), (x, y) => x * y);
        AssertAll(a, b, LaneKernel.Run<long, long, long>("mul.hi.s64 %d, %a, %b;", a, b), (x, y) => Math.BigMul(x, y, out _));
        AssertAll(a, b, LaneKernel.Run<long, long, long>("mul.hi.u64 %d, %a, %b;", a, b), (x, y) => (long)Math.BigMul((ulong)x, (ulong)y, out _));
        AssertAll(a, b, LaneKernel.Run<long, long, long>("min.s64 %d, %a, %b;", a, b), Math.Min);
        AssertAll(a, b, LaneKernel.Run<long, long, long>("max.u64 %d, %a, %b;", a, b), (x, y) => (long)Math.Max((ulong)x, (ulong)y));
        AssertAll(a, b, LaneKernel.Run<long, long, long>("div.u64 %d, %a, %b;", a, b), (x, y) => y == 0 ? -1 : (long)((ulong)x / (ulong)y));
        AssertAll(
            a, b, LaneKernel.Run<long, long, long>("rem.s64 %d, %a, %b;", a, b), (x, y) => y == 0 ? x : y == -1 ? 0 : x % y);
        var mad = LaneKernel.Run<long, long, long, long>("mad.lo.s64 %d, %a, %b, %c;", a, b, c);
        for (var i = 0; i < a.Length; i++)
            Assert.Equal((a[i] * b[i]) + c[i], mad[i]);
        Assert.Equal(a.Select(x => unchecked(-x)), LaneKernel.Run<long, long>("neg.s64 %d, %a;", a));
        Assert.Equal(a.Select(x => x < 0 ? unchecked(-x) : x), LaneKernel.Run<long, long>("abs.s64 %d, %a;", a));
    }

    [Fact]
    public void Divides_as_the_hardware_does()
    {
        var (a, b, _) = Inputs.Triples<int>();
        AssertAll(
            a, b, LaneKernel.Run<int, int, int>("div.s32 %d, %a, %b;", a, b), (x, y) => y == 0 ? -1 : y == -1 ? unchecked(-x) : x / y);
        AssertAll(a, b, LaneKernel.Run<int, int, int>("rem.s32 %d, %a, %b;", a, b), (x, y) => y == 0 ? x : y == -1 ? 0 : x % y);
        AssertAll(a, b, LaneKernel.Run<int, int, int>("div.u32 %d, %a, %b;", a, b), (x, y) => y == 0 ? -1 : (int)((uint)x / (uint)y));
        AssertAll(a, b, LaneKernel.Run<int, int, int>("rem.u32 %d, %a, %b;", a, b), (x, y) => y == 0 ? x : (int)((uint)x % (uint)y));
    }

    [Fact]
    public void Extends_16_bit_operands_where_it_matters()
    {
        var (a, b, _) = Inputs.Triples<ushort>();
        AssertAll(a, b, LaneKernel.Run<ushort, ushort, ushort>("add.s16 %d, %a, %b;", a, b), (x, y) => (ushort)(x + y));
        AssertAll(a, b, LaneKernel.Run<ushort, ushort, ushort>("mul.lo.u16 %d, %a, %b;", a, b), (x, y) => (ushort)(x * y));
        AssertAll(a, b, LaneKernel.Run<ushort, ushort, ushort>("min.s16 %d, %a, %b;", a, b), (x, y) => (ushort)Math.Min((short)x, (short)y));
        AssertAll(a, b, LaneKernel.Run<ushort, ushort, ushort>("max.u16 %d, %a, %b;", a, b), Math.Max);
        AssertAll(a, b, LaneKernel.Run<ushort, ushort, int>("mul.wide.s16 %d, %a, %b;", a, b), (x, y) => (short)x * (short)y);
        AssertAll(a, b, LaneKernel.Run<ushort, ushort, int>("mul.wide.u16 %d, %a, %b;", a, b), (x, y) => x * y);
        Assert.Equal(a.Select(x => (ushort)((short)x >> 3)), LaneKernel.Run<ushort, ushort>("shr.s16 %d, %a, 3;", a));
        Assert.Equal(a.Select(x => (ushort)(x >> 3)), LaneKernel.Run<ushort, ushort>("shr.u16 %d, %a, 3;", a));
    }

    [Fact]
    public void Finds_extremes_and_signs()
    {
        var (a, b, _) = Inputs.Triples<int>();
        AssertAll(a, b, LaneKernel.Run<int, int, int>("min.s32 %d, %a, %b;", a, b), Math.Min);
        AssertAll(a, b, LaneKernel.Run<int, int, int>("max.s32 %d, %a, %b;", a, b), Math.Max);
        AssertAll(a, b, LaneKernel.Run<int, int, int>("min.u32 %d, %a, %b;", a, b), (x, y) => (int)Math.Min((uint)x, (uint)y));
        AssertAll(a, b, LaneKernel.Run<int, int, int>("max.u32 %d, %a, %b;", a, b), (x, y) => (int)Math.Max((uint)x, (uint)y));
        Assert.Equal(a.Select(x => unchecked(-x)), LaneKernel.Run<int, int>("neg.s32 %d, %a;", a));
        Assert.Equal(a.Select(x => x < 0 ? unchecked(-x) : x), LaneKernel.Run<int, int>("abs.s32 %d, %a;", a));
    }

    [Fact]
    public void Takes_immediates_in_every_notation()
    {
        var a = Enumerable.Range(-40, 100).ToArray();
        Assert.Equal(a.Select(x => x - 5), LaneKernel.Run<int, int>("add.s32 %d, %a, -5;", a));
        Assert.Equal(a.Select(x => x ^ 0xFF), LaneKernel.Run<int, int>("xor.b32 %d, %a, 0xFF;", a));
        Assert.Equal(a.Select(x => x + 1.5f), LaneKernel.Run<int, float>("cvt.rn.f32.s32 %f1, %a; add.f32 %d, %f1, 0f3FC00000;", a));
        Assert.Equal(a.Select(x => x + 1.5), LaneKernel.Run<int, double>("cvt.rn.f64.s32 %fd1, %a; add.f64 %d, %fd1, 0d3FF8000000000000;", a));
        Assert.Equal(a.Select(x => x + 0.25f), LaneKernel.Run<int, float>("cvt.rn.f32.s32 %f1, %a; add.f32 %d, %f1, 0.25;", a));
    }

    private static void AssertAll<T, TOut>(T[] a, T[] b, TOut[] actual, Func<T, T, TOut> expected)
    {
        for (var i = 0; i < a.Length; i++)
        {
            var value = expected(a[i], b[i]);
            Assert.True(Equals(value, actual[i]), $"({a[i]}, {b[i]}) gave {actual[i]}, expected {value}");
        }
    }
}
