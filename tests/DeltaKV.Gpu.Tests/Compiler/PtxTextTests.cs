using System.Text.RegularExpressions;
using DeltaKV.Gpu.Compiler;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>What the PTX of a kernel looks like, where that decides how fast it is.</summary>
public class PtxTextTests
{
    public struct Mixed
    {
        public float A;
        public int B;
        public float C;
        public int D;
    }

    [Fact]
    public void Says_version_target_and_parameters()
    {
        var kernel = Compile((ArrayView<float> x, byte b, Mixed m, double d) => { x[0] = b + m.A + (float)d; }, "sm_90a");

        Assert.Contains(".version 8.0\n.target sm_90a\n.address_size 64\n", kernel.Ptx, StringComparison.Ordinal);
        Assert.Contains(".param .align 8 .b8 p0[16],", kernel.Ptx, StringComparison.Ordinal);
        Assert.Contains(".param .u8 p1,", kernel.Ptx, StringComparison.Ordinal);
        Assert.Contains(".param .align 4 .b8 p2[16],", kernel.Ptx, StringComparison.Ordinal);
        Assert.Contains(".param .f64 p3\n", kernel.Ptx, StringComparison.Ordinal);
        Assert.Equal([16, 1, 16, 8], kernel.Parameters.Select(parameter => parameter.Size));
        Assert.Equal(["x", "b", "m", "d"], kernel.Parameters.Select(parameter => parameter.Name));
    }

    [Theory]
    [InlineData("sm_80", "7.8")]
    [InlineData("sm_89", "7.8")]
    [InlineData("sm_90", "7.8")]
    [InlineData("sm_90a", "8.0")]
    [InlineData("sm_100", "8.7")]
    public void Asks_for_the_version_the_target_needs(string target, string version) =>
        Assert.Contains($".version {version}\n", Compile((ArrayView<int> x) => { x[0] = 1; }, target).Ptx, StringComparison.Ordinal);

    [Fact]
    public void Reads_and_writes_16_bytes_at_once()
    {
        var ptx = Compile((ArrayView<Float4> x, ArrayView<Float4> y) => { y[Group.IdxX] = x[Group.IdxX]; }).Ptx;

        Assert.Contains("ld.global.v4.f32 {", ptx, StringComparison.Ordinal);
        Assert.Contains("st.global.v4.f32 [", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_mixed_words_as_integers()
    {
        var ptx = Compile((ArrayView<Mixed> x, ArrayView<Mixed> y) => { y[Group.IdxX] = x[Group.IdxX]; }).Ptx;

        Assert.Contains("ld.global.v4.u32 {", ptx, StringComparison.Ordinal);
        Assert.Contains("st.global.v4.u32 [", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Joins_the_fields_read_one_by_one()
    {
        var ptx = Compile((ArrayView<Float4> x, ArrayView<float> y) =>
        {
            ref var v = ref x[Group.IdxX];
            y[0] = v.X + v.Y + v.Z + v.W;
        }).Ptx;

        Assert.Single(Regex.Matches(ptx, @"ld\.global\."));
        Assert.Contains("ld.global.v4.f32", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Folds_constants_into_the_address()
    {
        var ptx = Compile((ArrayView<float> x, int i) => { x[i] = x[i + 4] + x[(2 * i) + 3] + x[(2 * i) + 5]; }).Ptx;

        Assert.Matches(@"ld\.global\.f32 %f\d+, \[%rd\d+\+16\]", ptx);
        Assert.Matches(@"ld\.global\.f32 %f\d+, \[%rd\d+\+12\]", ptx);
        Assert.Matches(@"ld\.global\.f32 %f\d+, \[%rd\d+\+20\]", ptx);
        Assert.Equal(2, Regex.Count(ptx, @"(mul|mad)\.wide"));
    }

    [Fact]
    public void Multiplies_an_index_once()
    {
        var ptx = Compile((ArrayView<Float4> x, int i) => { x[i * 16] = x[(i * 8) + 1]; }).Ptx;

        Assert.Matches(@"(mul|mad)\.wide\.s32 %rd\d+, %r\d+, 256", ptx);
        Assert.Matches(@"(mul|mad)\.wide\.s32 %rd\d+, %r\d+, 128", ptx);
        Assert.DoesNotContain("shl", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Sums_what_does_not_change_in_front_of_the_loop()
    {
        var ptx = Compile((ArrayView<float> x, long row, int n) =>
        {
            for (var i = 0; i < n; i++)
                x[i] = x[(row * 100) + i] + x[(row * 200) + i];
        }).Ptx;

        var loop = ptx[ptx.IndexOf("\n$L", StringComparison.Ordinal)..];
        Assert.DoesNotContain("mul.lo.s64", loop, StringComparison.Ordinal);
        Assert.Equal(3, Regex.Count(loop, @"add\.s64"));
    }

    [Fact]
    public void Addresses_shared_memory_in_32_bits_and_by_name()
    {
        var ptx = Compile((ArrayView<int> x) =>
        {
            var shared = SharedMemory.Allocate<int>(64);
            shared[Group.IdxX] = x[Group.IdxX];
            Group.Barrier();
            x[Group.IdxX] = shared[3] + shared[Group.IdxX ^ 1] + shared[Group.IdxX + 63];
        }).Ptx;

        Assert.Contains(".shared .align 16 .b8 shared0[256];", ptx, StringComparison.Ordinal);
        Assert.Contains("[shared0+12]", ptx, StringComparison.Ordinal);
        Assert.Matches(@"st\.shared\.s32 \[%r\d+\]", ptx);
        Assert.Matches(@"ld\.shared\.s32 %r\d+, \[%r\d+\+252\]", ptx);
        Assert.DoesNotMatch(@"(ld|st)\.(u|s|f|b)\d+", ptx);
    }

    [Fact]
    public void Counts_static_and_dynamic_shared_memory()
    {
        var kernel = Compile((ArrayView<int> x) =>
        {
            var first = SharedMemory.Allocate<byte>(3);
            var second = SharedMemory.Allocate<int>(5);
            var dynamic = SharedMemory.GetDynamic<int>();
            first[0] = 1;
            second[0] = first[1];
            dynamic[x[0]] = second[1];
            x[0] = dynamic[-1 + x[1]];
        });

        Assert.Equal(16 + 20, kernel.StaticSharedBytes);
        Assert.True(kernel.UsesDynamicShared);
        Assert.Contains(".extern .shared .align 16 .b8 dynamic_shared[];", kernel.Ptx, StringComparison.Ordinal);
        Assert.Contains("+-4]", kernel.Ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Never_contracts_a_product_and_a_sum()
    {
        var ptx = Compile((ArrayView<float> x, ArrayView<double> y) =>
        {
            x[0] = (x[1] * x[2]) + x[3];
            y[0] = (y[1] * y[2]) - y[3];
        }).Ptx;

        Assert.DoesNotContain("fma", ptx, StringComparison.Ordinal);
        Assert.Contains("mul.rn.f32", ptx, StringComparison.Ordinal);
        Assert.Contains("add.rn.f32", ptx, StringComparison.Ordinal);
        Assert.Contains("sub.rn.f64", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Unrolled_loops_leave_no_branch_and_no_local_memory()
    {
        var ptx = Compile((ArrayView<float> x) =>
        {
            var sums = LocalMemory.Allocate<float>(8);
            for (var i = 0; i < Unroll.Full(8); i++)
                sums[i] = x[i];
            for (var i = 0; i < Unroll.Full(8); i++)
            {
                for (var j = 0; j < Unroll.Full(4); j++)
                    sums[i] += sums[(i + j) % 8];
            }

            for (var i = 0; i < Unroll.Full(8); i++)
                x[i] = sums[i];
        }).Ptx;

        Assert.DoesNotContain(" bra", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
        Assert.Equal(32, Regex.Count(ptx, @"add\.rn\.f32"));
    }

    [Fact]
    public void Loops_test_at_the_bottom()
    {
        var ptx = Compile((ArrayView<float> x, int n) =>
        {
            var sum = 0f;
            for (var i = 0; i < n; i++)
                sum += x[i];
            x[0] = sum;
        }).Ptx;

        Assert.Matches(@"(?s)(\$L\d+):\n(?:(?!\$L\d+:|bra).)*ld\.global(?:(?!\$L\d+:|bra).)*@%p\d+ bra \1;", ptx);
    }

    [Fact]
    public void Does_not_repeat_itself()
    {
        var ptx = Compile((ArrayView<int> x, int a, int b) =>
        {
            x[a * b] = (a * b) + 1;
            x[b * a] = x[a * b] + (b * a);
        }).Ptx;

        Assert.Single(Regex.Matches(ptx, @"mul\.lo"));
        Assert.DoesNotContain("ld.global", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Hoists_what_does_not_change()
    {
        var ptx = Compile((ArrayView<int> x, int n, int a) =>
        {
            for (var i = 0; i < n; i++)
                x[i] = a / 7;
        }).Ptx;

        Assert.Matches(@"(?s)div\.s32.*\$L\d+:.*st\.global", ptx);
    }

    [Fact]
    public void Volatile_reads_are_never_shared()
    {
        var ptx = Compile((ArrayView<int> x) =>
        {
            while (Volatile.Read(ref x[0]) == 0)
            {
            }

            x[1] = Volatile.Read(ref x[2]) + Volatile.Read(ref x[2]);
        }).Ptx;

        Assert.Equal(3, Regex.Count(ptx, @"ld\.volatile\.global\.s32"));
    }

    [Fact]
    public void Volatile_reads_keep_others_on_their_side()
    {
        var ptx = Compile((ArrayView<Float2> x, ArrayView<int> flag) =>
        {
            ref var pair = ref x[0];
            var first = pair.X;
            while (Volatile.Read(ref flag[0]) == 0)
            {
            }

            var again = Volatile.Read(ref flag[1]);
            x[1] = new Float2(first, pair.Y + again);
        }).Ptx;

        Assert.DoesNotContain("ld.global.v2", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Compiles_kernels_of_thousands_of_blocks_on_a_small_stack()
    {
        static void Kernel(ArrayView<int> x, int a)
        {
            var sum = a;
            for (var i = 0; i < Unroll.Full(3000); i++)
            {
                if (x[i] > i)
                    x[i] = i;
            }

            x[0] = sum;
        }

        CompiledKernel? compiled = null;
        var thread = new Thread(() => compiled = Compile(Kernel), 256 << 10);
        thread.Start();
        thread.Join();
        Assert.Equal(3000, Regex.Count(compiled!.Ptx, @"setp\."));
    }

    [Fact]
    public void Carries_the_lines_of_the_source()
    {
        var ptx = Compile((ArrayView<int> x) => { x[0] = 1; }).Ptx;

        Assert.Matches(@"\.file \d+ "".*PtxTextTests\.cs""", ptx);
        Assert.Matches(@"\.loc \d+ \d+ 0", ptx);
        Assert.DoesNotContain(".loc", KernelCompiler.Compile(((Action<ArrayView<int>>)(static x => x[0] = 1)).Method, new CompileOptions { LineInfo = false }).Ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Uses_the_instruction_of_newer_targets()
    {
        static void Kernel(ArrayView<BFloat16x2> x) => Atomic.Add(ref x[0], BFloat16x2.FromSingles(1, 2));

        Assert.Contains("atom.global.add.noftz.bf16x2", Compile(Kernel, "sm_90").Ptx, StringComparison.Ordinal);
        Assert.Contains("atom.global.cas.b32", Compile(Kernel, "sm_80").Ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Compiles_the_same_text_every_time_and_from_many_threads()
    {
        static void Kernel(ArrayView<float> x, int n)
        {
            for (var i = 0; i < n; i++)
                x[i] = MathF.Exp(x[i]) + GroupReduce.Sum(x[0]);
        }

        var texts = new string[16];
        Parallel.For(0, texts.Length, i => texts[i] = Compile(Kernel).Ptx);
        Assert.Single(texts.Distinct());
    }

    private static CompiledKernel Compile(Delegate kernel, string target = "sm_80") => KernelCompiler.Compile(kernel.Method, new CompileOptions { Target = target });
}
