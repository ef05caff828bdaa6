namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class FloatArithmeticTests
{
    [Fact]
    public void Single_precision_matches_dotnet_bit_for_bit()
    {
        var (a, b, c) = Inputs.Triples<float>();
        AssertAll(a, b, LaneKernel.Run<float, float, float>("add.rn.f32 %d, %a, %b;", a, b), (x, y) => x + y);
        AssertAll(a, b, LaneKernel.Run<float, float, float>("sub.ftz.f32 %d, %a, %b;", a, b), (x, y) => x - y);
        AssertAll(a, b, LaneKernel.Run<float, float, float>("mul.f32 %d, %a, %b;", a, b), (x, y) => x * y);
        AssertAll(a, b, LaneKernel.Run<float, float, float>("div.rn.f32 %d, %a, %b;", a, b), (x, y) => x / y);
        AssertAll(a, b, LaneKernel.Run<float, float, float>("div.full.f32 %d, %a, %b;", a, b), (x, y) => x / y);
        AssertAll(a, b, LaneKernel.Run<float, float, float>("min.f32 %d, %a, %b;", a, b), float.MinNumber);
        AssertAll(a, b, LaneKernel.Run<float, float, float>("max.f32 %d, %a, %b;", a, b), float.MaxNumber);
        AssertAll(a, b, LaneKernel.Run<float, float, float>("min.NaN.f32 %d, %a, %b;", a, b), MathF.Min);
        AssertAll(a, b, LaneKernel.Run<float, float, float>("max.NaN.f32 %d, %a, %b;", a, b), MathF.Max);
        AssertAll(a, b, LaneKernel.Run<float, float>("neg.f32 %d, %a;", a), (x, _) => -x);
        AssertAll(a, b, LaneKernel.Run<float, float>("abs.f32 %d, %a;", a), (x, _) => MathF.Abs(x));
        AssertAll(a, b, LaneKernel.Run<float, float>("sqrt.rn.f32 %d, %a;", a), (x, _) => MathF.Sqrt(x));
        AssertAll(a, b, LaneKernel.Run<float, float>("rcp.rn.f32 %d, %a;", a), (x, _) => 1 / x);
        AssertAll(a, b, LaneKernel.Run<float, float>("add.sat.f32 %d, %a, 0f00000000;", a), (x, _) => float.IsNaN(x) ? 0 : Math.Clamp(x, 0, 1) + 0f);
        var fma = LaneKernel.Run<float, float, float, float>("fma.rn.f32 %d, %a, %b, %c;", a, b, c);
        for (var i = 0; i < a.Length; i++)
            Assert.True(Same(MathF.FusedMultiplyAdd(a[i], b[i], c[i]), fma[i]), $"fma({a[i]:R}, {b[i]:R}, {c[i]:R}) gave {fma[i]:R}");
    }

    [Fact]
    public void Double_precision_matches_dotnet_bit_for_bit()
    {
        var (a, b, c) = Inputs.Triples<double>();
        AssertAll(a, b, LaneKernel.Run<double, double, double>("add.rn.f64 %d, %a, %b;", a, b), (x, y) => x + y);
        AssertAll(a, b, LaneKernel.Run<double, double, double>("sub.f64 %d, %a, %b;", a, b), (x, y) => x - y);
        AssertAll(a, b, LaneKernel.Run<double, double, double>("mul.f64 %d, %a, %b;", a, b), (x, y) => x * y);
        AssertAll(a, b, LaneKernel.Run<double, double, double>("div.rn.f64 %d, %a, %b;", a, b), (x, y) => x / y);
        AssertAll(a, b, LaneKernel.Run<double, double, double>("min.f64 %d, %a, %b;", a, b), double.MinNumber);
        AssertAll(a, b, LaneKernel.Run<double, double, double>("max.f64 %d, %a, %b;", a, b), double.MaxNumber);
        AssertAll(a, b, LaneKernel.Run<double, double>("neg.f64 %d, %a;", a), (x, _) => -x);
        AssertAll(a, b, LaneKernel.Run<double, double>("abs.f64 %d, %a;", a), (x, _) => Math.Abs(x));
        AssertAll(a, b, LaneKernel.Run<double, double>("sqrt.rn.f64 %d, %a;", a), (x, _) => Math.Sqrt(x));
        AssertAll(a, b, LaneKernel.Run<double, double>("rcp.rn.f64 %d, %a;", a), (x, _) => 1 / x);
        var fma = LaneKernel.Run<double, double, double, double>("fma.rn.f64 %d, %a, %b, %c;", a, b, c);
        for (var i = 0; i < a.Length; i++)
            Assert.True(Same(Math.FusedMultiplyAdd(a[i], b[i], c[i]), fma[i]), $"fma({a[i]:R}, {b[i]:R}, {c[i]:R}) gave {fma[i]:R}");
    }

    [Theory]
    [InlineData("ex2.approx.ftz.f32", 2.0)]
    [InlineData("lg2.approx.f32", 2.0)]
    [InlineData("rsqrt.approx.f32", 1.5)]
    [InlineData("sin.approx.f32", 2.0)]
    [InlineData("cos.approx.f32", 2.0)]
    [InlineData("tanh.approx.f32", 8.0)]
    public void Approximations_are_good_to_a_few_units_in_the_last_place(string instruction, double units)
    {
        // The hardware promises 2^-22 or so; a few units leave room for how double results round.
        var a = Enumerable.Range(-4000, 8001).Select(i => i / 31.7f).Concat(Inputs.Triples<float>().A).ToArray();
        if (instruction.StartsWith("sin", StringComparison.Ordinal) || instruction.StartsWith("cos", StringComparison.Ordinal))
            a = a.Where(x => MathF.Abs(x) < 100).Concat(Enumerable.Range(0, 512).Select(i => i * 31.75f)).Concat(Enumerable.Range(0, 64).Select(i => 1e6f + (i * 1000.5f))).ToArray();
        var actual = LaneKernel.Run<float, float>(instruction + " %d, %a;", a);
        for (var i = 0; i < a.Length; i++)
        {
            var x = (double)a[i];
            var expected = instruction[..3] switch
            {
                "ex2" => Math.Pow(2, x),
                "lg2" => Math.Log2(x),
                "rsq" => 1 / Math.Sqrt(x),
                "sin" => Math.Sin(x),
                "cos" => Math.Cos(x),
                _ => Math.Tanh(x),
            };
            var rounded = (float)expected;
            if (float.IsNaN(rounded) || float.IsInfinity(rounded))
            {
                Assert.True(Same(rounded, actual[i]), $"{instruction} {a[i]:R} gave {actual[i]:R}, expected {rounded:R}");
                continue;
            }

            var unit = Math.Max(MathF.BitIncrement(MathF.Abs(rounded)) - MathF.Abs(rounded), float.Epsilon);
            Assert.True(Math.Abs(actual[i] - expected) <= (units * unit) + 3e-8 * (instruction[0] is 's' or 'c' ? 1 : 0),
                $"{instruction} {a[i]:R} gave {actual[i]:R}, expected {expected:R}, {Math.Abs(actual[i] - expected) / unit} units");
        }
    }

    [Theory]
    [InlineData("setp.eq.f32", "==")]
    [InlineData("setp.ne.f32", "<>")]
    [InlineData("setp.lt.f32", "<")]
    [InlineData("setp.le.f32", "<=")]
    [InlineData("setp.gt.f32", ">")]
    [InlineData("setp.ge.f32", ">=")]
    [InlineData("setp.equ.f32", "u==")]
    [InlineData("setp.neu.f32", "!=")]
    [InlineData("setp.ltu.f32", "u<")]
    [InlineData("setp.leu.f32", "u<=")]
    [InlineData("setp.gtu.f32", "u>")]
    [InlineData("setp.geu.f32", "u>=")]
    [InlineData("setp.num.f32", "num")]
    [InlineData("setp.nan.f32", "nan")]
    public void Comparisons_treat_NaN_as_they_say(string instruction, string meaning)
    {
        var (a, b, _) = Inputs.Triples<float>();
        var actual = LaneKernel.Run<float, float, int>($"{instruction} %p2, %a, %b; selp.s32 %d, 1, 2, %p2;", a, b);
        var wide = LaneKernel.Run<float, float, int>(
            $"cvt.f64.f32 %fd1, %a; cvt.f64.f32 %fd2, %b; {instruction.Replace("f32", "f64", StringComparison.Ordinal)} %p2, %fd1, %fd2; selp.s32 %d, 1, 2, %p2;", a, b);
        for (var i = 0; i < a.Length; i++)
        {
            var unordered = float.IsNaN(a[i]) || float.IsNaN(b[i]);
            var expected = meaning switch
            {
                "==" => a[i] == b[i],
                "<>" => !unordered && a[i] != b[i],
                "<" => a[i] < b[i],
                "<=" => a[i] <= b[i],
                ">" => a[i] > b[i],
                ">=" => a[i] >= b[i],
                "u==" => unordered || a[i] == b[i],
                "!=" => a[i] != b[i],
                "u<" => unordered || a[i] < b[i],
                "u<=" => unordered || a[i] <= b[i],
                "u>" => unordered || a[i] > b[i],
                "u>=" => unordered || a[i] >= b[i],
                "num" => !unordered,
                _ => unordered,
            };
            Assert.True(expected == (actual[i] == 1), $"{instruction} {a[i]:R}, {b[i]:R}");
            Assert.Equal(actual[i], wide[i]);
        }
    }

    private static void AssertAll<T>(T[] a, T[] b, T[] actual, Func<T, T, T> expected)
        where T : struct
    {
        for (var i = 0; i < a.Length; i++)
        {
            var value = expected(a[i], b[i]);
            Assert.True(Same(value, actual[i]), $"({a[i]:R}, {b[i]:R}) gave {actual[i]:R}, expected {value:R}");
        }
    }

    /// <summary>Same bits; any NaN is as good as another.</summary>
    private static bool Same<T>(T expected, T actual) => (expected, actual) switch
    {
        (float x, float y) => (float.IsNaN(x) && float.IsNaN(y)) || BitConverter.SingleToInt32Bits(x) == BitConverter.SingleToInt32Bits(y),
        (double x, double y) => (double.IsNaN(x) && double.IsNaN(y)) || BitConverter.DoubleToInt64Bits(x) == BitConverter.DoubleToInt64Bits(y),
        _ => false,
    };
}
