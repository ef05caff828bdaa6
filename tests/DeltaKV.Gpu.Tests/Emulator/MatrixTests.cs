using DeltaKV.Gpu.Emulator;

namespace DeltaKV.Gpu.Tests.Emulator;

/// <summary>ldmatrix, stmatrix, cp.async and mma against the fragment layouts as the PTX manual gives them, element by element.</summary>
public sealed class MatrixTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(4, true)]
    public void Ldmatrix_and_stmatrix_deal_out_8x8_tiles(int count, bool transposed)
    {
        // Rows are stored in a shuffled order, so that each comes from the address its lane gives.
        var random = new Random(Inputs.Seed);
        var rowOf = Enumerable.Range(0, 32).ToArray();
        random.Shuffle(rowOf);
        var tiles = Enumerable.Range(0, 32 * 8).Select(_ => (ushort)random.Next(65536)).ToArray();
        var registers = "{" + string.Join(", ", Enumerable.Range(4, count).Select(i => "%r" + i)) + "}";
        var trans = transposed ? ".trans" : "";
        var stores = string.Concat(Enumerable.Range(0, count).Select(k => $"st.global.u32 [%rd2+{k * 128}], %r{4 + k};\n"));
        var ptx = PtxRunner.Header + $$"""
            .visible .entry k(.param .u64 tiles, .param .u64 rows, .param .u64 output, .param .u64 back)
            {
            .reg .b32 %r<16>; .reg .b64 %rd<8>;
            .shared .align 16 .b8 tile[512];
            .shared .align 16 .b8 copy[512];
            ld.param.u64 %rd0, [tiles]; ld.param.u64 %rd1, [rows]; ld.param.u64 %rd2, [output]; ld.param.u64 %rd3, [back];
            mov.u32 %r0, %tid.x;
            mad.wide.u32 %rd0, %r0, 16, %rd0;
            mad.lo.u32 %r1, %r0, 16, tile;
            mad.lo.u32 %r3, %r0, 16, copy;
            st.shared.v4.u32 [%r3], {0, 0, 0, 0};
            cp.async.cg.shared.global [%r1], [%rd0], 16;
            cp.async.commit_group;
            cp.async.wait_group 0;
            bar.sync 0;
            mad.wide.u32 %rd1, %r0, 4, %rd1;
            ld.global.u32 %r2, [%rd1];
            mad.lo.u32 %r4, %r2, 16, tile;
            ldmatrix.sync.aligned.m8n8.x{{count}}{{trans}}.shared.b16 {{registers}}, [%r4];
            mad.wide.u32 %rd2, %r0, 4, %rd2;
            {{stores}}
            mad.lo.u32 %r3, %r2, 16, copy;
            stmatrix.sync.aligned.m8n8.x{{count}}{{trans}}.shared.b16 [%r3], {{registers}};
            bar.sync 0;
            mad.lo.u32 %r3, %r0, 16, copy;
            ld.shared.v4.u32 {%r8, %r9, %r10, %r11}, [%r3];
            mad.wide.u32 %rd3, %r0, 16, %rd3;
            st.global.v4.u32 [%rd3], {%r8, %r9, %r10, %r11};
            }
            """;
        var output = new uint[128];
        var back = new ushort[256];
        PtxRunner.Run(ptx, (1, 32), [tiles, rowOf, output, back]);
        for (var matrix = 0; matrix < count; matrix++)
        {
            for (var lane = 0; lane < 32; lane++)
            {
                var (g, t) = (lane / 4, lane % 4);
                ushort Element(int row, int column) => tiles[(rowOf[(8 * matrix) + row] * 8) + column];
                var expected = transposed
                    ? Element(2 * t, g) | ((uint)Element((2 * t) + 1, g) << 16)
                    : Element(g, 2 * t) | ((uint)Element(g, (2 * t) + 1) << 16);
                Assert.Equal(expected, output[(matrix * 32) + lane]);
            }

            for (var row = 0; row < 8; row++)
            {
                var at = rowOf[(8 * matrix) + row] * 8;
                Assert.Equal(tiles.AsSpan(at, 8), back.AsSpan(at, 8));
            }
        }
    }

    [Fact]
    public void Cp_async_fills_what_the_source_lacks_with_zeros()
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 input, .param .u64 output)
            {
            .reg .b32 %r<16>; .reg .b64 %rd<8>;
            .shared .align 16 .b8 tile[512];
            ld.param.u64 %rd0, [input]; ld.param.u64 %rd1, [output];
            mov.u32 %r0, %tid.x;
            mad.wide.u32 %rd0, %r0, 16, %rd0;
            mad.lo.u32 %r1, %r0, 16, tile;
            st.shared.v4.u32 [%r1], {-1, -1, -1, -1};
            and.b32 %r2, %r0, 15;
            cp.async.cg.shared.global.L2::128B [%r1], [%rd0], 16, %r2;
            cp.async.wait_all;
            ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r1];
            mad.wide.u32 %rd1, %r0, 16, %rd1;
            st.global.v4.u32 [%rd1], {%r4, %r5, %r6, %r7};
            cp.async.ca.shared.global [%r1], [%rd0+8], 8;
            cp.async.ca.shared.global [%r1+8], [%rd0], 4;
            cp.async.commit_group;
            cp.async.wait_group 0;
            ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r1];
            st.global.v4.u32 [%rd1+512], {%r4, %r5, %r6, %r7};
            }
            """;
        var random = new Random(Inputs.Seed);
        var input = new byte[512];
        random.NextBytes(input);
        var output = new byte[1024];
        PtxRunner.Run(ptx, (1, 32), [input, output]);
        for (var i = 0; i < 512; i++)
        {
            var (lane, k) = (i / 16, i % 16);
            Assert.Equal(k < lane % 16 ? input[i] : 0, output[i]);
            var expected = k < 8 ? input[i + 8] : k < 12 ? input[i - 8] : k < lane % 16 ? input[i] : 0;
            Assert.Equal(expected, output[512 + i]);
        }
    }

    [Theory]
    [InlineData("bf16", 16, "f32")]
    [InlineData("bf16", 8, "f32")]
    [InlineData("f16", 16, "f32")]
    [InlineData("f16", 8, "f32")]
    [InlineData("f16", 16, "f16")]
    [InlineData("tf32", 8, "f32")]
    [InlineData("tf32", 4, "f32")]
    [InlineData("e4m3", 32, "f32")]
    [InlineData("e5m2", 32, "f32")]
    [InlineData("s8", 32, "s32")]
    [InlineData("u8", 32, "s32")]
    [InlineData("s8", 16, "s32")]
    public void Mma_multiplies_as_the_fragments_lie(string type, int depth, string accumulator)
    {
        var random = new Random(Inputs.Seed + depth);
        var size = type switch { "tf32" => 4, "bf16" or "f16" => 2, _ => 1 };
        var perRegister = 4 / size;
        var halves = depth / (4 * perRegister);
        var (a, aValues) = Matrix(random, type, 16, depth);
        var (b, bValues) = Matrix(random, type, 8, depth); // B by columns
        var accumulators = accumulator == "f16" ? 2 : 4;

        // Registers of each lane, straight from the manual: groupID = lane / 4, threadID_in_group = lane % 4.
        var aRegisters = new uint[2 * halves * 32];
        var bRegisters = new uint[halves * 32];
        var cRegisters = new uint[accumulators * 32];
        var c = new double[16, 8];
        for (var lane = 0; lane < 32; lane++)
        {
            var (group, thread) = (lane / 4, lane % 4);
            for (var register = 0; register < 2 * halves; register++)
            {
                var row = group + (register % 2 == 1 ? 8 : 0);
                for (var e = 0; e < perRegister; e++)
                {
                    var k = (thread * perRegister) + e + (register >= 2 ? depth / 2 : 0);
                    aRegisters[(register * 32) + lane] |= a[row, k] << (8 * size * e);
                }
            }

            for (var register = 0; register < halves; register++)
            {
                for (var e = 0; e < perRegister; e++)
                {
                    var k = (thread * perRegister) + e + (register * depth / 2);
                    bRegisters[(register * 32) + lane] |= b[group, k] << (8 * size * e);
                }
            }

            for (var i = 0; i < 4; i++)
            {
                var (row, column) = (group + (i < 2 ? 0 : 8), (thread * 2) + (i & 1));
                c[row, column] = random.Next(-20, 21);
                if (accumulator == "f16")
                    cRegisters[(i / 2 * 32) + lane] |= (uint)BitConverter.HalfToUInt16Bits((System.Half)c[row, column]) << (16 * (i & 1));
                else
                    cRegisters[(i * 32) + lane] = accumulator == "s32" ? (uint)(int)c[row, column] : BitConverter.SingleToUInt32Bits((float)c[row, column]);
            }
        }

        var output = new uint[accumulators * 32];
        PtxRunner.Run(MmaKernel(type, depth, accumulator, halves, accumulators), (1, 32), [aRegisters, bRegisters, cRegisters, output]);
        for (var lane = 0; lane < 32; lane++)
        {
            for (var i = 0; i < 4; i++)
            {
                var (row, column) = ((lane / 4) + (i < 2 ? 0 : 8), (lane % 4 * 2) + (i & 1));
                double expected = c[row, column], magnitude = Math.Abs(expected);
                for (var k = 0; k < depth; k++)
                {
                    expected += aValues[row, k] * bValues[column, k];
                    magnitude += Math.Abs(aValues[row, k] * bValues[column, k]);
                }

                var bits = accumulator == "f16" ? output[(i / 2 * 32) + lane] >> (16 * (i & 1)) : output[(i * 32) + lane];
                double actual = accumulator switch
                {
                    "s32" => (int)bits,
                    "f16" => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
                    _ => BitConverter.UInt32BitsToSingle(bits),
                };

                // depth roundings of partial sums no larger than the sum of magnitudes; one more to the accumulator's own type.
                var tolerance = accumulator switch { "s32" => 0, "f16" => magnitude * 1e-3, _ => magnitude * depth * 6e-8 };
                Assert.True(Math.Abs(actual - expected) <= tolerance, $"[{row}, {column}] is {actual}, expected {expected}");
            }
        }
    }

    [Fact]
    public void Mma_without_512_bit_vectors_gives_the_same_sums()
    {
        if (!System.Runtime.Intrinsics.X86.Avx512F.IsSupported)
            return; // then every other test here has run the portable path
        var random = new Random(Inputs.Seed);
        var fast = RunDirectly(random.Next(), portable: false, out var seed);
        Assert.Equal(fast, RunDirectly(seed, portable: true, out _));
    }

    private static unsafe uint[] RunDirectly(int seed, bool portable, out int used)
    {
        used = seed;
        var random = new Random(seed);
        var memory = (uint*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc(128 * 14, 64);
        try
        {
            for (var i = 0; i < 32 * 14; i++)
            {
                var value = BitConverter.SingleToUInt32Bits((float)random.NextDouble()) >> 16;
                memory[i] = i < 32 * 10 ? value | (value << 16) : BitConverter.SingleToUInt32Bits((float)random.NextDouble());
            }

            var slots = stackalloc int[14];
            for (var i = 0; i < 14; i++)
                slots[i] = 128 * i;
            var warp = new DeltaKV.Gpu.Emulator.Warp { Registers = (byte*)memory };
            var op = new Op { Extra = slots, Aux = 2 };
            if (portable)
                MatrixMultiply<BFloat16Fragment, BFloat16Fragment, SingleAccumulator>.RunPortable(&warp, &op);
            else
                MatrixMultiply<BFloat16Fragment, BFloat16Fragment, SingleAccumulator>.Run(&warp, &op);
            return new ReadOnlySpan<uint>(memory, 32 * 4).ToArray();
        }
        finally
        {
            System.Runtime.InteropServices.NativeMemory.AlignedFree(memory);
        }
    }

    private static string MmaKernel(string type, int depth, string accumulator, int halves, int accumulators)
    {
        string Load(string pointer, string register, int count) =>
            string.Concat(Enumerable.Range(0, count).Select(k => $"ld.global.u32 {register}{k}, [{pointer}+{128 * k}];\n"));
        string List(string register, int count) => "{" + string.Join(", ", Enumerable.Range(0, count).Select(k => register + k)) + "}";
        return PtxRunner.Header + $$"""
            .visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, .param .u64 d)
            {
            .reg .b32 %r<4>; .reg .b32 %a<4>; .reg .b32 %b<2>; .reg .b32 %c<4>; .reg .b64 %rd<8>;
            ld.param.u64 %rd0, [a]; ld.param.u64 %rd1, [b]; ld.param.u64 %rd2, [c]; ld.param.u64 %rd3, [d];
            mov.u32 %r0, %tid.x;
            mad.wide.u32 %rd0, %r0, 4, %rd0; mad.wide.u32 %rd1, %r0, 4, %rd1;
            mad.wide.u32 %rd2, %r0, 4, %rd2; mad.wide.u32 %rd3, %r0, 4, %rd3;
            {{Load("%rd0", "%a", 2 * halves)}}{{Load("%rd1", "%b", halves)}}{{Load("%rd2", "%c", accumulators)}}
            mma.sync.aligned.m16n8k{{depth}}.row.col.{{accumulator}}.{{type}}.{{type}}.{{accumulator}} {{List("%c", accumulators)}}, {{List("%a", 2 * halves)}}, {{List("%b", halves)}}, {{List("%c", accumulators)}};
            {{string.Concat(Enumerable.Range(0, accumulators).Select(k => $"st.global.u32 [%rd3+{128 * k}], %c{k};\n"))}}
            }
            """;
    }

    private static (uint[,] Codes, double[,] Values) Matrix(Random random, string type, int rows, int depth)
    {
        var codes = new uint[rows, depth];
        var values = new double[rows, depth];
        for (var row = 0; row < rows; row++)
        {
            for (var k = 0; k < depth; k++)
            {
                var x = (float)((random.NextDouble() * 4) - 2);
                (codes[row, k], values[row, k]) = type switch
                {
                    "bf16" => (BitConverter.SingleToUInt32Bits(x) >> 16, BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(x) & 0xFFFF0000)),
                    "f16" => (BitConverter.HalfToUInt16Bits((System.Half)x), (double)(System.Half)x),
                    "tf32" => (BitConverter.SingleToUInt32Bits(x), BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(x) & 0xFFFFE000)),
                    "s8" => Byte(random, true),
                    "u8" => Byte(random, false),
                    _ => Float8(random, type == "e4m3" ? 3 : 2, type == "e4m3" ? 7 : 15),
                };
            }
        }

        return (codes, values);
    }

    private static (uint Code, double Value) Byte(Random random, bool signed)
    {
        var code = (uint)random.Next(256);
        return (code, signed ? (sbyte)code : code);
    }

    /// <summary>A random finite code of small magnitude and what it means, by the format's definition.</summary>
    private static (uint Code, double Value) Float8(Random random, int mantissaBits, int bias)
    {
        var exponent = random.Next(0, bias + 3);
        var mantissa = random.Next(1 << mantissaBits);
        var sign = random.Next(2);
        var fraction = mantissa / (double)(1 << mantissaBits);
        var value = exponent == 0 ? Math.ScaleB(fraction, 1 - bias) : Math.ScaleB(1 + fraction, exponent - bias);
        return ((uint)((sign << 7) | (exponent << mantissaBits) | mantissa), sign == 1 ? -value : value);
    }
}
