using DeltaKV.Gpu.Emulator;

namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class SanitizerTests
{
    [Fact]
    public void A_global_access_out_of_bounds_names_everything()
    {
        var error = Find(KernelErrorKind.OutOfBounds, "mad.wide.u32 %rd1, %r0, 4, %rd0;\n.loc 1 77 9\nst.global.u32 [%rd1], %r0;", threads: 64, elements: 50);
        Assert.Equal("planted", error.Kernel);
        Assert.Equal("block (0, 0, 0), thread (50, 0, 0)", error.Place);
        Assert.Equal("/src/Planted.cs:77", error.SourceLocation);
        Assert.Contains("in no buffer", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mov.u64 %rd1, 0; ld.global.u32 %r1, [%rd1+16];")]
    [InlineData("ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd0+2032];")]
    [InlineData("ld.shared.u32 %r1, [%r8+1024];")]
    [InlineData("st.shared.u32 [%r8+-4], %r0;")]
    [InlineData("st.local.u32 [own+16], %r0;")]
    [InlineData("atom.global.add.u32 %r1, [%rd0+4096], 1;")]
    [InlineData("red.shared.add.u32 [%r8+1024], 1;")]
    [InlineData("cp.async.cg.shared.global [%r8+1024], [%rd0], 16;")]
    [InlineData("cp.async.cg.shared.global [%r8], [%rd0+4096], 16;")]
    [InlineData("setp.eq.u32 %p0, %r0, 3; @%p0 st.global.u32 [%rd0+4096], %r0;")]
    [InlineData("mov.u64 %rd1, tile; cvta.shared.u64 %rd1, %rd1; st.u32 [%rd1+1024], %r0;")]
    public void Accesses_out_of_bounds_are_found(string body) => Find(KernelErrorKind.OutOfBounds, body, elements: 508);

    [Theory]
    [InlineData("ld.global.u32 %r1, [%rd0+2];")]
    [InlineData("ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd0+8];")]
    [InlineData("st.shared.u16 [%r8+1], %h0;")]
    [InlineData("ld.local.u32 %r1, [own+3];")]
    [InlineData("atom.global.add.u64 %rd2, [%rd0+4], 1;")]
    [InlineData("cp.async.cg.shared.global [%r8+8], [%rd0], 16;")]
    [InlineData("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r1}, [%r8+4];")]
    public void Misaligned_accesses_are_found(string body) => Find(KernelErrorKind.Misaligned, body, elements: 512);

    [Theory]
    [InlineData("ld.shared.u32 %r1, [%r9];")]
    [InlineData("st.shared.u16 [%r9], %h0; ld.shared.u32 %r1, [%r9];")]
    [InlineData("atom.shared.add.u32 %r1, [%r9], 1;")]
    [InlineData("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r1}, [%r8];")]
    public void Reads_of_unwritten_shared_memory_are_found(string body) => Find(KernelErrorKind.UninitializedShared, body, elements: 512);

    [Theory]
    [InlineData("st.shared.u32 [%r9], 0; bar.sync 0; st.shared.u32 [%r9], %r0; xor.b32 %r1, %r9, 128; ld.shared.u32 %r2, [%r1];")] // across warps
    [InlineData("st.shared.u32 [%r9], %r0; xor.b32 %r1, %r9, 4; ld.shared.u32 %r2, [%r1];")] // within a warp
    [InlineData("st.shared.u32 [%r9], %r0; bar.sync 0; xor.b32 %r1, %r9, 4; ld.shared.u32 %r2, [%r1]; st.shared.u32 [%r9], %r2;")] // read, then overwritten
    [InlineData("st.shared.u32 [%r8], %r0;")] // several values to one place
    [InlineData("st.shared.u32 [%r8], 0; bar.sync 0; red.shared.add.u32 [%r8], 1; ld.shared.u32 %r1, [%r8];")] // atomic against plain
    [InlineData("mov.u64 %rd1, tile; cvta.shared.u64 %rd1, %rd1; st.u32 [%rd1], %r0;")]
    public void Races_on_shared_memory_are_found(string body)
    {
        var error = Find(KernelErrorKind.SharedRace, body, elements: 512);
        Assert.Contains("shared offset", error.Message, StringComparison.Ordinal);
    }

    // A copy of 16 bytes by every thread to a place of its own.
    [Theory]
    [InlineData("ld.shared.u32 %r1, [%r9];")] // at once
    [InlineData("cp.async.commit_group; ld.shared.u32 %r1, [%r9];")] // committed only
    [InlineData("cp.async.wait_group 0; ld.shared.u32 %r1, [%r9];")] // a wait for what is committed
    [InlineData("cp.async.commit_group; cp.async.wait_group 1; bar.sync 0; ld.shared.u32 %r1, [%r9];")] // it may be the newest one
    [InlineData("cp.async.commit_group; bar.sync 0; xor.b32 %r1, %r9, 512; ld.shared.u32 %r2, [%r1];")] // another thread's
    [InlineData("cp.async.commit_group; bar.sync 0; cp.async.wait_group 0; xor.b32 %r1, %r9, 512; ld.shared.u32 %r2, [%r1];")] // another warp's, which waits later
    [InlineData("cp.async.commit_group; st.shared.u32 [%r9], %r0;")] // which will land on it?
    [InlineData("cp.async.cg.shared.global [%r9], [%rd0], 16;")]
    public void Copies_that_nobody_waited_for_are_found(string body)
    {
        var error = Find(KernelErrorKind.PendingCopy, $"cp.async.cg.shared.global [%r9], [%rd0], 16; {body}", scale: 16);
        Assert.Contains("has not waited for it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Waiting_for_ones_own_copies_is_no_barrier()
    {
        const string Body = "cp.async.cg.shared.global [%r9], [%rd0], 16; cp.async.commit_group; bar.sync 0; cp.async.wait_group 0; xor.b32 %r1, %r9, 16; ld.shared.u32 %r2, [%r1];";
        Assert.Contains("waited for a copy", Find(KernelErrorKind.SharedRace, Body, scale: 16).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("setp.ge.u32 %p0, %r0, 16; @%p0 bra SKIP; bar.sync 0; SKIP: st.global.u32 [%rd0], 1;")]
    [InlineData("setp.ge.u32 %p0, %r0, 32; @%p0 bra SKIP; bar.sync 0; SKIP: st.global.u32 [%rd0], 1;")]
    [InlineData("setp.lt.u32 %p0, %r0, 32; @%p0 bra SKIP; bar.sync 0; SKIP: st.global.u32 [%rd0], 1;")]
    [InlineData("setp.ge.u32 %p0, %r0, 16; @%p0 bra SKIP; bar.sync 0; SKIP: bar.sync 0;")]
    [InlineData("setp.ge.u32 %p0, %r0, 16; @!%p0 bar.sync 0; st.global.u32 [%rd0], 1;")]
    [InlineData("setp.ge.u32 %p0, %r0, 32; @%p0 bra SKIP; bar.sync 1; ret; SKIP: bar.sync 2;")]
    public void Barriers_that_not_every_thread_reaches_are_found(string body) => Find(KernelErrorKind.DivergentBarrier, body, elements: 512);

    [Theory]
    [InlineData("st.shared.u32 [%r9], %r0; bar.sync 0; xor.b32 %r1, %r9, 128; ld.shared.u32 %r2, [%r1]; bar.sync 0; st.shared.u32 [%r9], %r2;")]
    [InlineData("st.shared.u32 [%r9], %r0; bar.warp.sync -1; xor.b32 %r1, %r9, 4; ld.shared.u32 %r2, [%r1]; bar.warp.sync -1; st.shared.u32 [%r9], %r2;")]
    [InlineData("st.shared.u32 [%r8], 0; bar.sync 0; red.shared.add.u32 [%r8], 1; bar.sync 0; ld.shared.u32 %r1, [%r8];")] // same value, then atomics
    [InlineData("mov.u32 %r1, tile; mad.lo.u32 %r1, %r0, 2, %r1; cvt.u16.u32 %h0, %r0; st.shared.u16 [%r1], %h0; ld.shared.u16 %h1, [%r1];")] // halves of a word
    [InlineData("setp.ge.u32 %p0, %r0, 40; @%p0 ret; st.shared.u32 [%r9], %r0; bar.sync 0; ld.shared.u32 %r1, [%r8];")] // early return
    [InlineData("setp.ge.u32 %p0, %r0, 40; @%p0 bra OUT; st.shared.u32 [%r9], %r0; bar.sync 0; ld.shared.u32 %r1, [%r8]; ret; OUT: st.global.u32 [%rd0], 9;")]
    [InlineData("setp.ge.u32 %p0, %r0, 32; @%p0 bra B; bar.sync 0; bra OUT; B: bar.sync 0; OUT: st.global.u32 [%rd0], 9;")] // two sites, a warp at each
    [InlineData("st.local.u32 [own], %r0; ld.local.u32 %r1, [own]; st.local.v4.u32 [own], {%r1, %r1, %r1, %r1};")]
    [InlineData("setp.lt.u32 %p0, %r0, 5; @%p0 ld.global.u32 %r1, [%rd0]; @!%p0 mov.u64 %rd0, 0; @%p0 st.global.u32 [%rd0], %r1;")] // guarded by the right lanes
    [InlineData("cp.async.cg.shared.global [%r9], [%rd0+2040], 16, 8; cp.async.wait_all;", 16)]
    [InlineData("cp.async.cg.shared.global [%r9], [%rd0], 16; cp.async.wait_all; ld.shared.u32 %r1, [%r9]; st.shared.u32 [%r9], %r1;", 16)]
    [InlineData("cp.async.cg.shared.global [%r9], [%rd0], 16; cp.async.commit_group; cp.async.commit_group; cp.async.wait_group 1; bar.sync 0; xor.b32 %r1, %r9, 512; ld.shared.u32 %r2, [%r1];", 16)]
    [InlineData("cp.async.cg.shared.global [%r9], [%rd0], 16; cp.async.commit_group; cp.async.wait_group 0; bar.warp.sync -1; xor.b32 %r1, %r9, 16; ld.shared.u32 %r2, [%r1];", 16)]
    [InlineData("cp.async.cg.shared.global [%r9], [%rd0], 16; cp.async.wait_all; cp.async.cg.shared.global [%r9], [%rd0], 16; cp.async.wait_all; ld.shared.u32 %r1, [%r9];", 16)]
    public void Clean_kernels_are_not_accused(string body, int scale = 4) =>
        Run(body, threads: 64, elements: 512, scale);

    private static KernelSanitizerException Find(KernelErrorKind kind, string body, int threads = 64, int elements = 512, int scale = 4)
    {
        var error = Assert.Throws<KernelSanitizerException>(() => Run(body, threads, elements, scale));
        Assert.Equal(kind, error.Kind);
        return error;
    }

    /// <summary>%rd0 is a buffer, %r0 the thread, %r8 the address of 1024 shared bytes, %r9 the thread's own place there.</summary>
    private static void Run(string body, int threads, int elements, int scale)
    {
        var ptx = $$"""
            {{PtxRunner.Header}}
            .file 1 "/src/Planted.cs"
            .visible .entry planted(.param .u64 buffer)
            {
            .reg .pred %p<4>; .reg .b32 %r<12>; .reg .b64 %rd<4>; .reg .b16 %h<4>;
            .shared .align 16 .b8 tile[1024];
            .local .align 16 .b8 own[16];
            .loc 1 10 1
            ld.param.u64 %rd0, [buffer];
            mov.u32 %r0, %tid.x;
            mov.u32 %r8, tile;
            mad.lo.u32 %r9, %r0, {{scale}}, %r8;
            mov.u16 %h0, 3;
            {{body}}
            }
            """;
        PtxRunner.Run(ptx, (1, threads), [new int[elements]], options: new EmulatorOptions { Sanitize = true, Threads = 1 });
    }
}
