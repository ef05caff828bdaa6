using DeltaKV.Gpu.Emulator;

namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class MemoryTests
{
    /// <summary>How the lanes' addresses relate: the shapes that have fast paths of their own, and one that has none.</summary>
    public static TheoryData<string, int> Patterns()
    {
        var data = new TheoryData<string, int>();
        foreach (var pattern in new[] { "row", "same", "reversed", "scattered" })
        {
            foreach (var threads in new[] { 64, 45 })
                data.Add(pattern, threads);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Loads_follow_any_addresses(string pattern, int threads)
    {
        var random = new Random(Inputs.Seed);
        var memory = new byte[64 * 16];
        random.NextBytes(memory);
        var index = Index(pattern, threads, random);
        foreach (var (type, size, convert) in new (string, int, Func<byte[], int, long>)[]
        {
            ("u8", 1, (m, o) => m[o]), ("s8", 1, (m, o) => (sbyte)m[o]), ("u16", 2, (m, o) => BitConverter.ToUInt16(m, o)),
            ("s16", 2, (m, o) => BitConverter.ToInt16(m, o)), ("u32", 4, (m, o) => BitConverter.ToUInt32(m, o)),
            ("s32", 4, (m, o) => BitConverter.ToInt32(m, o)), ("b64", 8, (m, o) => BitConverter.ToInt64(m, o)),
        })
        {
            foreach (var space in new[] { "global", "shared" })
            {
                var output = new long[threads];
                Run(LoadKernel(space, type, size, wide: true), threads, [memory, index, output]);
                Assert.Equal(index.Select(i => convert(memory, i * size)), output);
                if (size > 4)
                    continue;
                var narrow = new long[threads];
                Run(LoadKernel(space, type, size, wide: false), threads, [memory, index, narrow]);
                Assert.Equal(index.Select(i => convert(memory, i * size) & 0xFFFFFFFF), narrow);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Stores_follow_any_addresses(string pattern, int threads)
    {
        var random = new Random(Inputs.Seed);
        var index = Index(pattern, threads, random);
        foreach (var (type, size) in new[] { ("u8", 1), ("b16", 2), ("u32", 4), ("b64", 8) })
        {
            foreach (var space in new[] { "global", "shared" })
            {
                var memory = new byte[64 * 16];
                var values = Enumerable.Range(0, threads).Select(_ => random.NextInt64()).ToArray();
                var expected = new byte[memory.Length];
                for (var i = 0; i < threads; i++)
                    BitConverter.GetBytes(values[i]).AsSpan(0, size).CopyTo(expected.AsSpan(index[i] * size));
                Run(StoreKernel(space, type, size), threads, [memory, index, values]);
                Assert.Equal(expected, memory);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Vectors_of_words_keep_their_order(string pattern, int threads)
    {
        var random = new Random(Inputs.Seed);
        var index = Index(pattern, threads, random);
        foreach (var (type, count, size) in new[] { ("v4.b32", 4, 16), ("v2.b32", 2, 8), ("v2.b64", 2, 16), ("v4.b16", 4, 8), ("v2.u8", 2, 2) })
        {
            foreach (var space in new[] { "global", "shared" })
            {
                var input = new byte[64 * 16];
                random.NextBytes(input);
                var output = new byte[64 * 16];
                var expected = new byte[64 * 16];
                for (var i = 0; i < threads; i++)
                    input.AsSpan(i * size, size).CopyTo(expected.AsSpan(index[i] * size));
                Run(VectorKernel(space, type, count, size, gather: false), threads, [input, index, output]);
                Assert.Equal(expected, output);

                // And the other way around: a load from the pattern, stored as a row.
                var gathered = new byte[64 * 16];
                var row = new byte[64 * 16];
                for (var i = 0; i < threads; i++)
                    input.AsSpan(index[i] * size, size).CopyTo(row.AsSpan(i * size));
                Run(VectorKernel(space, type, count, size, gather: true), threads, [input, index, gathered]);
                Assert.Equal(row, gathered);
            }
        }
    }

    [Fact]
    public void Generic_addresses_reach_every_space()
    {
        const string ptx = PtxRunner.Header + """
            .global .align 4 .b8 table[16] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0};
            .const .u32 offset = 100;
            .visible .entry k(.param .u64 p0)
            {
            .reg .pred %p<8>; .reg .b32 %r<12>; .reg .b64 %rd<12>;
            .shared .align 4 .b8 tile[256];
            .local .align 4 .b8 own[8];
            mov.u32 %r0, %tid.x;
            and.b32 %r9, %r0, 3;
            mov.u64 %rd0, tile;
            cvta.shared.u64 %rd1, %rd0;
            mad.wide.u32 %rd2, %r0, 4, %rd1;
            mov.u64 %rd3, own;
            cvta.local.u64 %rd4, %rd3;
            mad.wide.u32 %rd5, %r9, 4, table;
            st.u32 [%rd2], %r0;
            mul.lo.u32 %r1, %r0, 3;
            st.u32 [%rd4+4], %r1;
            ld.u32 %r2, [%rd2];
            ld.local.u32 %r3, [own+4];
            ld.global.u32 %r4, [%rd5];
            ld.const.u32 %r8, [offset];
            add.u32 %r2, %r2, %r3;
            add.u32 %r2, %r2, %r4;
            add.u32 %r2, %r2, %r8;
            cvta.to.shared.u64 %rd6, %rd2;
            cvt.u32.u64 %r5, %rd6;
            ld.shared.u32 %r6, [%r5];
            add.u32 %r2, %r2, %r6;
            isspacep.shared %p0, %rd2;
            isspacep.local %p1, %rd4;
            isspacep.global %p2, %rd5;
            isspacep.global %p3, %rd2;
            selp.u32 %r7, 1000, 0, %p0;
            add.u32 %r2, %r2, %r7;
            selp.u32 %r7, 2000, 0, %p1;
            add.u32 %r2, %r2, %r7;
            selp.u32 %r7, 4000, 0, %p2;
            add.u32 %r2, %r2, %r7;
            selp.u32 %r7, 8000, 0, %p3;
            add.u32 %r2, %r2, %r7;
            ld.param.u64 %rd7, [p0];
            cvta.to.global.u64 %rd7, %rd7;
            mad.wide.u32 %rd7, %r0, 4, %rd7;
            st.global.u32 [%rd7], %r2;
            }
            """;
        var output = new int[64];
        PtxRunner.Run(ptx, (1, 64), [output]);
        Assert.Equal(Enumerable.Range(0, 64).Select(i => 7000 + 100 + i + (i * 3) + (i % 4) + 1 + i), output);
    }

    [Fact]
    public void Structs_and_scalars_arrive_as_parameters()
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 p0, .param .u8 p1, .param .align 8 .b8 p2[16], .param .f32 p3, .param .u16 p4)
            {
            .reg .b32 %r<8>; .reg .b64 %rd<4>; .reg .f32 %f<2>; .reg .b16 %h<2>;
            ld.param.u64 %rd0, [p0];
            ld.param.u8 %r0, [p1];
            ld.param.u64 %rd1, [p2];
            ld.param.u32 %r1, [p2+8];
            ld.param.f32 %f0, [p3];
            ld.param.u16 %h0, [p4];
            cvt.rzi.u32.f32 %r2, %f0;
            cvt.u32.u16 %r3, %h0;
            st.global.u32 [%rd0], %r0;
            st.global.u32 [%rd0+4], %r1;
            st.global.u32 [%rd0+8], %r2;
            st.global.u32 [%rd0+12], %r3;
            st.global.u64 [%rd0+16], %rd1;
            ld.param.v2.u32 {%r4, %r5}, [p2];
            st.global.v2.u32 [%rd0+24], {%r5, %r4};
            }
            """;
        var output = new int[8];
        PtxRunner.Run(ptx, (1, 32), [output, (byte)200, new Pair(0x1122334455667788, 77), 12.5f, (ushort)65535]);
        Assert.Equal([200, 77, 12, 65535, 0x55667788, 0x11223344, 0x11223344, 0x55667788], output);
    }

    [Fact]
    public void Dynamic_shared_memory_follows_the_static()
    {
        const string ptx = PtxRunner.Header + """
            .extern .shared .align 16 .b8 dynamic_shared[];
            .visible .entry k(.param .u64 p0)
            {
            .reg .b32 %r<8>; .reg .b64 %rd<4>;
            .shared .align 4 .b8 first[36];
            mov.u32 %r0, %tid.x;
            mov.u32 %r1, dynamic_shared;
            mad.lo.u32 %r2, %r0, 4, %r1;
            st.shared.u32 [%r2], %r0;
            st.shared.u32 [first], 99;
            mov.u32 %r3, %dynamic_smem_size;
            ld.shared.u32 %r4, [%r2];
            mad.lo.u32 %r4, %r4, 1000, %r3;
            and.b32 %r5, %r1, 15;
            add.u32 %r4, %r4, %r5;
            ld.param.u64 %rd0, [p0];
            mad.wide.u32 %rd0, %r0, 4, %rd0;
            st.global.u32 [%rd0], %r4;
            }
            """;
        var output = new int[128];
        PtxRunner.Run(ptx, (1, 128, SharedMemoryConfig.RequestDynamic<byte>(512)), [output]);
        Assert.Equal(Enumerable.Range(0, 128).Select(i => (i * 1000) + 512), output);
    }

    [Fact]
    public void Grids_and_blocks_have_three_dimensions()
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 p0)
            {
            .reg .b32 %r<16>; .reg .b64 %rd<4>;
            mov.u32 %r0, %ctaid.z; mov.u32 %r1, %nctaid.y; mov.u32 %r2, %ctaid.y;
            mad.lo.u32 %r0, %r0, %r1, %r2;
            mov.u32 %r1, %nctaid.x; mov.u32 %r2, %ctaid.x;
            mad.lo.u32 %r0, %r0, %r1, %r2;
            mov.u32 %r1, %ntid.z; mov.u32 %r2, %tid.z;
            mad.lo.u32 %r0, %r0, %r1, %r2;
            mov.u32 %r1, %ntid.y; mov.u32 %r2, %tid.y;
            mad.lo.u32 %r0, %r0, %r1, %r2;
            mov.u32 %r1, %ntid.x; mov.u32 %r2, %tid.x;
            mad.lo.u32 %r0, %r0, %r1, %r2;
            ld.param.u64 %rd0, [p0];
            mad.wide.u32 %rd0, %r0, 4, %rd0;
            mov.u32 %r3, %warpid; mov.u32 %r4, %laneid;
            mad.lo.u32 %r3, %r3, 32, %r4;
            mad.lo.u32 %r3, %r0, 1000, %r3;
            st.global.u32 [%rd0], %r3;
            }
            """;
        var output = new int[2 * 3 * 4 * 5 * 6 * 7];
        PtxRunner.Run(ptx, (new Index3D(2, 3, 4), new Index3D(5, 6, 7)), [output]);
        Assert.Equal(Enumerable.Range(0, output.Length).Select(i => (i * 1000) + (i % 210)), output);
    }

    // Several lanes writing one address on purpose is a race, so these go without the sanitizer.
    private static void Run(string ptx, int threads, object[] arguments) =>
        PtxRunner.Run(ptx, (1, threads), arguments, options: new EmulatorOptions());

    private static int[] Index(string pattern, int threads, Random random)
    {
        var index = Enumerable.Range(0, 64).ToArray();
        if (pattern == "scattered")
            random.Shuffle(index);
        return index.Take(threads).Select((value, i) => pattern switch { "same" => 5, "reversed" => threads - 1 - i, _ => value }).ToArray();
    }

    private static string Prologue() => $$"""
        {{PtxRunner.Header}}
        .visible .entry k(.param .u64 memory, .param .u64 index, .param .u64 data)
        {
        .reg .b32 %r<20>; .reg .b64 %rd<20>; .reg .b16 %h<8>; .reg .pred %p<4>;
        .shared .align 16 .b8 tile[1024];
        mov.u32 %r0, %tid.x; mov.u32 %r10, %ntid.x;
        ld.param.u64 %rd0, [memory]; ld.param.u64 %rd1, [index]; ld.param.u64 %rd2, [data];
        mad.wide.u32 %rd1, %r0, 4, %rd1;
        ld.global.u32 %r1, [%rd1];
        mov.u32 %r2, tile;

        """;

    /// <summary>Thread by thread, four bytes at a time, between a buffer of 1024 bytes and shared memory.</summary>
    private static string Copy(string pointer, bool toShared, string label) => $"""
        bar.sync 0;
        mov.u32 %r11, %r0;
        {label}:
        mad.lo.u32 %r12, %r11, 4, %r2;
        mad.wide.u32 %rd11, %r11, 4, {pointer};
        {(toShared ? "ld.global.u32 %r13, [%rd11]; st.shared.u32 [%r12], %r13;" : "ld.shared.u32 %r13, [%r12]; st.global.u32 [%rd11], %r13;")}
        add.u32 %r11, %r11, %r10;
        setp.lt.u32 %p0, %r11, 256;
        @%p0 bra {label};
        bar.sync 0;

        """;

    private static string LoadKernel(string space, string type, int size, bool wide) => Prologue()
        + (space == "shared"
            ? Copy("%rd0", true, "FILL") + $"mad.lo.u32 %r3, %r1, {size}, %r2; ld.shared.{type} {(wide ? "%rd3" : "%r4")}, [%r3];\n"
            : $"mad.wide.u32 %rd4, %r1, {size}, %rd0; ld.global.nc.{type} {(wide ? "%rd3" : "%r4")}, [%rd4];\n")
        + (wide ? "" : "cvt.u64.u32 %rd3, %r4;\n")
        + "mad.wide.u32 %rd5, %r0, 8, %rd2; st.global.u64 [%rd5], %rd3; ret; }";

    private static string StoreKernel(string space, string type, int size) => Prologue()
        + "mad.wide.u32 %rd5, %r0, 8, %rd2; ld.global.u64 %rd3, [%rd5]; cvt.u32.u64 %r4, %rd3;\n"
        + (space == "shared"
            ? Copy("%rd0", true, "FILL") + $"mad.lo.u32 %r3, %r1, {size}, %r2; st.shared.{type} [%r3], {(size == 8 ? "%rd3" : "%r4")};\n" + Copy("%rd0", false, "DRAIN")
            : $"mad.wide.u32 %rd4, %r1, {size}, %rd0; st.global.{type} [%rd4], {(size == 8 ? "%rd3" : "%r4")};\n")
        + "ret; }";

    private static string VectorKernel(string space, string type, int count, int size, bool gather)
    {
        var prefix = type.EndsWith("64", StringComparison.Ordinal) ? "%rd1" : type.EndsWith("32", StringComparison.Ordinal) ? "%r1" : "%h";
        var first = prefix == "%h" ? 0 : 4;
        var registers = "{" + string.Join(", ", Enumerable.Range(first, count).Select(i => prefix + i)) + "}";
        var (source, target) = gather ? ("%r1", "%r0") : ("%r0", "%r1");
        var text = Prologue();
        if (space == "shared" && gather)
            return text + Copy("%rd0", true, "FILL") + $"mad.lo.u32 %r3, {source}, {size}, %r2; ld.shared.{type} {registers}, [%r3]; mad.wide.u32 %rd4, {target}, {size}, %rd2; st.global.{type} [%rd4], {registers}; ret; }}";
        if (space == "shared")
            return text + Copy("%rd2", true, "FILL") + $"mad.wide.u32 %rd4, {source}, {size}, %rd0; ld.global.{type} {registers}, [%rd4]; mad.lo.u32 %r3, {target}, {size}, %r2; st.shared.{type} [%r3], {registers};\n" + Copy("%rd2", false, "DRAIN") + "ret; }";
        return text + $"mad.wide.u32 %rd4, {source}, {size}, %rd0; ld.global.{type} {registers}, [%rd4]; mad.wide.u32 %rd5, {target}, {size}, %rd2; st.global.{type} [%rd5], {registers}; ret; }}";
    }

    private readonly record struct Pair(long First, int Second);
}
