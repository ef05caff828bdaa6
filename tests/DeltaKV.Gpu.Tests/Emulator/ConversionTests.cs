namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class ConversionTests
{
    [Fact]
    public void Integers_widen_narrow_and_saturate()
    {
        var (a, _, _) = Inputs.Triples<uint>();
        Check(a, "cvt.s64.s32 %d, %a;", x => (long)(int)x);
        Check(a, "cvt.u64.u32 %d, %a;", x => (ulong)x);
        Check(a, "cvt.s32.s8 %d, %a;", x => (int)(sbyte)x);
        Check(a, "cvt.u32.u8 %d, %a;", x => (uint)(byte)x);
        Check(a, "cvt.s32.s16 %d, %a;", x => (int)(short)x);
        Check(a, "cvt.u32.u16 %d, %a;", x => (uint)(ushort)x);
        Check(a, "cvt.u16.u32 %d, %a;", x => (ushort)x);
        Check(a, "cvt.u16.u32 %h1, %a; cvt.s64.s16 %d, %h1;", x => (long)(short)x);
        Check(a, "cvt.sat.s8.s32 %d, %a;", x => Math.Clamp((int)x, -128, 127));
        Check(a, "cvt.sat.u8.s32 %d, %a;", x => (uint)Math.Clamp((int)x, 0, 255));
        Check(a, "cvt.sat.s32.u32 %d, %a;", x => (int)Math.Min(x, int.MaxValue));
        var (p, _, _) = Inputs.Triples<ulong>();
        Check(p, "cvt.u32.u64 %d, %a;", x => (uint)x);
        Check(p, "cvt.s16.s64 %d, %a;", x => (short)x);
        Check(p, "cvt.sat.s32.s64 %d, %a;", x => (int)Math.Clamp((long)x, int.MinValue, int.MaxValue));
    }

    [Fact]
    public void Integers_become_floats_rounded_once()
    {
        var (a, _, _) = Inputs.Triples<uint>();
        Check(a, "cvt.rn.f32.s32 %d, %a;", x => (float)(int)x);
        Check(a, "cvt.rn.f32.u32 %d, %a;", x => (float)x);
        Check(a, "cvt.rn.f32.u8 %d, %a;", x => (float)(byte)x);
        Check(a, "cvt.rn.f32.s16 %d, %a;", x => (float)(short)x);
        Check(a, "cvt.rn.f64.s32 %d, %a;", x => (double)(int)x);
        Check(a, "cvt.rn.f64.u32 %d, %a;", x => (double)x);
        Check(a, "cvt.rz.f32.u32 %d, %a;", x => RoundTowardZero(x));
        Check(a, "cvt.rn.f16.s32 %h1, %a; cvt.u32.u16 %d, %h1;", x => (uint)BitConverter.HalfToUInt16Bits((System.Half)(int)x));
        var (p, _, _) = Inputs.Triples<ulong>();
        Check(p, "cvt.rn.f32.s64 %d, %a;", x => (float)(long)x);
        Check(p, "cvt.rn.f32.u64 %d, %a;", x => (float)x);
        Check(p, "cvt.rn.f64.s64 %d, %a;", x => (double)(long)x);
        Check(p, "cvt.rn.f64.u64 %d, %a;", x => (double)x);
    }

    [Fact]
    public void Floats_become_integers_saturated_and_NaN_becomes_zero()
    {
        var (a, _, _) = Inputs.Triples<float>();
        Check(a, "cvt.rzi.s32.f32 %d, %a;", x => int.CreateSaturating(x));
        Check(a, "cvt.rni.s32.f32 %d, %a;", x => int.CreateSaturating(MathF.Round(x)));
        Check(a, "cvt.rmi.s32.f32 %d, %a;", x => int.CreateSaturating(MathF.Floor(x)));
        Check(a, "cvt.rpi.s32.f32 %d, %a;", x => int.CreateSaturating(MathF.Ceiling(x)));
        Check(a, "cvt.rzi.u32.f32 %d, %a;", x => uint.CreateSaturating(x));
        Check(a, "cvt.rzi.s64.f32 %d, %a;", x => long.CreateSaturating(x));
        Check(a, "cvt.rzi.u64.f32 %d, %a;", x => ulong.CreateSaturating(x));
        Check(a, "cvt.rzi.s8.f32 %d, %a;", x => (int)sbyte.CreateSaturating(x));
        Check(a, "cvt.rni.u8.f32 %d, %a;", x => (uint)byte.CreateSaturating(MathF.Round(x)));
        var (b, _, _) = Inputs.Triples<double>();
        Check(b, "cvt.rzi.s32.f64 %d, %a;", x => int.CreateSaturating(x));
        Check(b, "cvt.rni.s64.f64 %d, %a;", x => long.CreateSaturating(Math.Round(x)));
        Check(b, "cvt.rzi.u64.f64 %d, %a;", x => ulong.CreateSaturating(x));
    }

    [Fact]
    public void Floats_round_to_integers_and_other_floats()
    {
        var (a, _, _) = Inputs.Triples<float>();
        Check(a, "cvt.rni.f32.f32 %d, %a;", MathF.Round);
        Check(a, "cvt.rzi.f32.f32 %d, %a;", MathF.Truncate);
        Check(a, "cvt.rmi.f32.f32 %d, %a;", MathF.Floor);
        Check(a, "cvt.rpi.f32.f32 %d, %a;", MathF.Ceiling);
        Check(a, "cvt.sat.f32.f32 %d, %a;", x => float.IsNaN(x) ? 0 : Math.Clamp(x, 0, 1));
        Check(a, "cvt.f64.f32 %d, %a;", x => (double)x);
        var (b, _, _) = Inputs.Triples<double>();
        Check(b, "cvt.rn.f32.f64 %d, %a;", x => (float)x);
        Check(b, "cvt.rni.f64.f64 %d, %a;", Math.Round);
        Check(b, "cvt.rzi.f64.f64 %d, %a;", Math.Truncate);
    }

    [Fact]
    public void Sixteen_bit_floats_round_to_nearest_even()
    {
        var a = Inputs.Triples<float>().A.Concat(Enumerable.Range(0, 4096).Select(i => BitConverter.Int32BitsToSingle(0x3F800000 + (i * 0x800)))).ToArray();
        Check(a, "cvt.rn.f16.f32 %h1, %a; cvt.u32.u16 %d, %h1;", x => (uint)HalfBits(x));
        Check(a, "cvt.rn.bf16.f32 %h1, %a; cvt.u32.u16 %d, %h1;", x => (uint)BFloat16Bits(x));
        Check(a, "cvt.rn.bf16x2.f32 %d, %a, 0f3F800000;", x => ((uint)BFloat16Bits(x) << 16) | 0x3F80);
        Check(a, "cvt.rn.f16x2.f32 %d, 0f3F800000, %a;", x => 0x3C000000u | HalfBits(x));
        var all = Enumerable.Range(0, 65536).Select(i => (ushort)i).ToArray();
        Check(all, "cvt.f32.f16 %d, %a;", x => (float)BitConverter.UInt16BitsToHalf(x));
        Check(all, "cvt.f32.bf16 %d, %a;", x => BitConverter.UInt32BitsToSingle((uint)x << 16));
        Check(all, "cvt.f64.f16 %d, %a;", x => (double)BitConverter.UInt16BitsToHalf(x));
        Check(all, "cvt.rzi.s32.f16 %d, %a;", x => int.CreateSaturating((float)BitConverter.UInt16BitsToHalf(x)));
        Check(all, "cvt.f32.f16 %f1, %a; cvt.rn.f16.f32 %h1, %f1; cvt.u32.u16 %d, %h1;", x => System.Half.IsNaN(BitConverter.UInt16BitsToHalf(x)) ? 0x7FFFu : x);
    }

    [Fact]
    public void Directed_roundings_bracket_the_value()
    {
        var (a, _, _) = Inputs.Triples<float>();
        a = a.Where(float.IsFinite).ToArray();
        foreach (var type in new[] { "bf16", "f16" })
        {
            var down = LaneKernel.Run<float, float>($"cvt.rm.{type}.f32 %h1, %a; cvt.f32.{type} %d, %h1;", a);
            var up = LaneKernel.Run<float, float>($"cvt.rp.{type}.f32 %h1, %a; cvt.f32.{type} %d, %h1;", a);
            var zero = LaneKernel.Run<float, float>($"cvt.rz.{type}.f32 %h1, %a; cvt.f32.{type} %d, %h1;", a);
            var nearest = LaneKernel.Run<float, float>($"cvt.rn.{type}.f32 %h1, %a; cvt.f32.{type} %d, %h1;", a);
            for (var i = 0; i < a.Length; i++)
            {
                Assert.True(down[i] <= a[i] && up[i] >= a[i], $"{type} {a[i]:R}: {down[i]:R}, {up[i]:R}");
                Assert.Equal(a[i] > 0 ? down[i] : up[i], zero[i]);
                Assert.True(nearest[i] == down[i] || nearest[i] == up[i], $"{type} {a[i]:R}");
            }
        }
    }

    [Theory]
    [InlineData("e4m3x2", 448)]
    [InlineData("e5m2x2", 57344)]
    public void Eight_bit_floats_round_trip_and_saturate(string type, float largest)
    {
        var codes = Enumerable.Range(0, 256).Select(i => (ushort)(i | (i << 8))).ToArray();
        var halves = LaneKernel.Run<ushort, uint>($"cvt.rn.f16x2.{type} %d, %a;", codes);
        var values = halves.Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)bits)).ToArray();
        var finite = values.Where(float.IsFinite).Distinct().Order().ToArray();
        Assert.Equal(largest, finite[^1]);
        Assert.Equal(type[1] == '4' ? 0.001953125f : 0.0000152587890625f, finite.First(x => x > 0));
        Assert.Equal(values, halves.Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)(bits >> 16))));

        var a = Inputs.Triples<float>().A.Concat(finite).Concat(finite.Zip(finite.Skip(1), (x, y) => (x + y) / 2)).ToArray();
        var rounded = LaneKernel.Run<float, uint>($"cvt.rn.satfinite.{type}.f32 %h1, %a, 0f00000000; cvt.rn.f16x2.{type} %d, %h1;", a);
        for (var i = 0; i < a.Length; i++)
        {
            var actual = (float)BitConverter.UInt16BitsToHalf((ushort)(rounded[i] >> 16));
            if (float.IsNaN(a[i]))
            {
                Assert.True(float.IsNaN(actual));
                continue;
            }

            var distance = finite.Min(x => Math.Abs((double)x - a[i]));
            if (float.IsFinite(a[i]))
                Assert.True(Math.Abs((double)actual - a[i]) == distance, $"{a[i]:R} became {actual:R}");
            else
                Assert.Equal(Math.CopySign(largest, a[i]), actual);
        }
    }

    [Fact]
    public void Packed_halves_calculate_and_round_once()
    {
        var random = new Random(Inputs.Seed);
        uint[] Bits() => Enumerable.Range(0, 2000).Select(_ => (uint)random.NextInt64(1L << 32)).ToArray();
        var (a, b, c) = (Bits(), Bits(), Bits());
        Halves("add", a, b, c, (x, y, _) => x + y);
        Halves("sub", a, b, c, (x, y, _) => x - y);
        Halves("mul", a, b, c, (x, y, _) => x * y);
        Halves("min", a, b, c, (x, y, _) => double.MinNumber(x, y));
        Halves("max", a, b, c, (x, y, _) => double.MaxNumber(x, y));
        Halves("fma", a, b, c, (x, y, z) => (x * y) + z);
        Assert.Equal(a.Select(x => x ^ 0x80008000), LaneKernel.Run<uint, uint>("neg.bf16x2 %d, %a;", a));
        Assert.Equal(a.Select(x => x & 0x7FFF7FFF), LaneKernel.Run<uint, uint>("abs.f16x2 %d, %a;", a));
    }

    [Fact]
    public void Tensor_floats_round_ties_away()
    {
        var (a, _, _) = Inputs.Triples<float>();
        a = a.Where(float.IsFinite).ToArray();
        Check(a, "cvt.rna.tf32.f32 %d, %a;", x => (BitConverter.SingleToUInt32Bits(x) + 0x1000) & 0xFFFFE000);
    }

    [Fact]
    public void Registers_split_and_join()
    {
        var (p, _, _) = Inputs.Triples<ulong>();
        Check(p, "mov.b64 {%r4, %r5}, %a; mov.b64 %d, {%r5, %r4};", x => (x << 32) | (x >> 32));
        Check(p, "mov.b64 {%h0, %h1, %h2, %h3}, %a; mov.b64 %d, {%h3, %h2, %h1, %h0};", x =>
            (x << 48) | (x >> 48) | ((x & 0xFFFF0000) << 16) | ((x >> 16) & 0xFFFF0000));
        Check(p, "mov.b64 {_, %r5}, %a; cvt.u64.u32 %d, %r5;", x => x >> 32);
        var (a, _, _) = Inputs.Triples<uint>();
        Check(a, "mov.b32 {%h1, %h2}, %a; mov.b32 %d, {%h2, %h1};", x => (x << 16) | (x >> 16));
    }

    private static void Halves(string name, uint[] a, uint[] b, uint[] c, Func<double, double, double, double> expected)
    {
        var operands = name == "fma" ? "%d, %a, %b, %c" : "%d, %a, %b";
        var rounding = name is "min" or "max" ? "" : ".rn";
        foreach (var isBrain in new[] { false, true })
        {
            var actual = LaneKernel.Run<uint, uint, uint, uint>($"{name}{rounding}.{(isBrain ? "bf16x2" : "f16x2")} {operands};", a, b, c);
            for (var i = 0; i < a.Length; i++)
            {
                for (var shift = 0; shift < 32; shift += 16)
                {
                    var value = expected(Widen(a[i] >> shift, isBrain), Widen(b[i] >> shift, isBrain), Widen(c[i] >> shift, isBrain));
                    var bits = isBrain ? NearestBFloat16(value) : double.IsNaN(value) ? (ushort)0x7FFF : BitConverter.HalfToUInt16Bits((System.Half)value);
                    Assert.True((ushort)(actual[i] >> shift) == bits, $"{name} {a[i] >> shift & 0xFFFF:X4} {b[i] >> shift & 0xFFFF:X4} {c[i] >> shift & 0xFFFF:X4} (bf16: {isBrain}) gave {(ushort)(actual[i] >> shift):X4}, expected {bits:X4}");
                }
            }
        }
    }

    private static double Widen(uint bits, bool isBrain) => isBrain
        ? BitConverter.UInt32BitsToSingle(bits << 16)
        : (double)BitConverter.UInt16BitsToHalf((ushort)bits);

    /// <summary>By bisection over all finite codes, so that no intermediate rounding can creep in.</summary>
    private static ushort NearestBFloat16(double value)
    {
        if (double.IsNaN(value))
            return 0x7FFF;
        var sign = double.IsNegative(value) ? 0x8000 : 0;
        var magnitude = Math.Abs(value);
        int low = 0, high = 0x7F80;
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            if (Value(middle) <= magnitude)
                low = middle;
            else
                high = middle;
        }

        var tie = (Value(low) + Value(high)) / 2;
        var up = magnitude > tie || (magnitude == tie && (low & 1) != 0);
        return (ushort)(sign | (up ? high : low));

        static double Value(int code) => code == 0x7F80 ? Math.ScaleB(1, 128) : BitConverter.Int32BitsToSingle(code << 16);
    }

    private static ushort HalfBits(float x) => float.IsNaN(x) ? (ushort)0x7FFF : BitConverter.HalfToUInt16Bits((System.Half)x);

    private static ushort BFloat16Bits(float x) => NearestBFloat16(x);

    private static float RoundTowardZero(uint value)
    {
        var single = (float)value;
        return single > (double)value ? MathF.BitDecrement(single) : single;
    }

    private static void Check<T, TD>(T[] a, string body, Func<T, TD> expected)
        where T : unmanaged
        where TD : unmanaged
    {
        var actual = LaneKernel.Run<T, TD>(body, a);
        for (var i = 0; i < a.Length; i++)
            Assert.True(Equals(expected(a[i]), actual[i]), $"{body} with {a[i]} gave {actual[i]}, expected {expected(a[i])}");
    }
}
