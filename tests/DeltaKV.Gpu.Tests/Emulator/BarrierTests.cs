namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class BarrierTests
{
    [Theory]
    [InlineData(32)]
    [InlineData(96)]
    [InlineData(256)]
    [InlineData(1024)]
    public void A_block_reduces_through_shared_memory(int threads)
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 input, .param .u64 output)
            {
            .reg .pred %p<4>; .reg .b32 %r<12>; .reg .b64 %rd<6>;
            .shared .align 4 .b8 sums[4096];
            mov.u32 %r0, %tid.x; mov.u32 %r1, %ntid.x; mov.u32 %r2, %ctaid.x;
            mad.lo.u32 %r3, %r2, %r1, %r0;
            ld.param.u64 %rd0, [input];
            mad.wide.u32 %rd0, %r3, 4, %rd0;
            ld.global.nc.u32 %r4, [%rd0];
            mov.u32 %r5, sums;
            mad.lo.u32 %r6, %r0, 4, %r5;
            st.shared.u32 [%r6], %r4;
            mov.u32 %r7, 512;
            LOOP:
            bar.sync 0;
            setp.ge.u32 %p0, %r0, %r7;
            add.u32 %r8, %r0, %r7;
            setp.ge.or.u32 %p1, %r8, %r1, %p0;
            @%p1 bra NEXT;
            mad.lo.u32 %r9, %r8, 4, %r5;
            ld.shared.u32 %r10, [%r9];
            ld.shared.u32 %r11, [%r6];
            add.u32 %r11, %r11, %r10;
            st.shared.u32 [%r6], %r11;
            NEXT:
            shr.u32 %r7, %r7, 1;
            setp.ne.u32 %p2, %r7, 0;
            @%p2 bra LOOP;
            bar.sync 0;
            setp.ne.u32 %p3, %r0, 0;
            @%p3 ret;
            ld.shared.u32 %r10, [sums];
            ld.param.u64 %rd1, [output];
            mad.wide.u32 %rd1, %r2, 4, %rd1;
            st.global.u32 [%rd1], %r10;
            ret;
            }
            """;
        var random = new Random(Inputs.Seed);
        var input = Enumerable.Range(0, threads * 9).Select(_ => random.Next(1000)).ToArray();
        var output = new int[9];
        PtxRunner.Run(ptx, (9, threads), [input, output]);
        Assert.Equal(input.Chunk(threads).Select(chunk => chunk.Sum()), output);
    }

    [Fact]
    public void Barriers_count_vote_and_agree()
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 p0, .param .u32 limit)
            {
            .reg .pred %p<6>; .reg .b32 %r<8>; .reg .b64 %rd<2>;
            mov.u32 %r0, %tid.x;
            ld.param.u32 %r1, [limit];
            setp.lt.u32 %p0, %r0, %r1;
            bar.red.popc.u32 %r2, 0, %p0;
            bar.red.and.pred %p1, 0, %p0;
            bar.red.or.pred %p2, 0, %p0;
            bar.red.or.pred %p3, 0, !%p0;
            selp.u32 %r3, 1, 0, %p1;
            selp.u32 %r4, 2, 0, %p2;
            selp.u32 %r5, 4, 0, %p3;
            add.u32 %r3, %r3, %r4;
            add.u32 %r3, %r3, %r5;
            mad.lo.u32 %r3, %r2, 8, %r3;
            ld.param.u64 %rd0, [p0];
            mad.wide.u32 %rd0, %r0, 4, %rd0;
            st.global.u32 [%rd0], %r3;
            }
            """;
        foreach (var limit in new[] { 0, 1, 40, 80 })
        {
            var output = new int[80];
            PtxRunner.Run(ptx, (1, 80), [output, limit]);
            var expected = (limit * 8) + (limit == 80 ? 1 : 0) + (limit > 0 ? 2 : 0) + (limit < 80 ? 4 : 0);
            Assert.All(output, value => Assert.Equal(expected, value));
        }
    }

    [Fact]
    public void Named_barriers_join_producers_and_consumers()
    {
        // Warp 0 waits on barrier 1 for the 64 threads that arrive there; warps 1 and 2 write and go on.
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 p0)
            {
            .reg .pred %p<2>; .reg .b32 %r<8>; .reg .b64 %rd<2>;
            .shared .align 4 .b8 cells[256];
            mov.u32 %r0, %tid.x;
            mov.u32 %r1, cells;
            setp.lt.u32 %p0, %r0, 32;
            @%p0 bra CONSUMER;
            mad.lo.u32 %r2, %r0, 4, %r1;
            st.shared.u32 [%r2+-128], %r0;
            bar.arrive 1, 96;
            ret;
            CONSUMER:
            bar.sync 1, 96;
            mad.lo.u32 %r2, %r0, 4, %r1;
            ld.shared.u32 %r3, [%r2];
            ld.shared.u32 %r4, [%r2+128];
            add.u32 %r3, %r3, %r4;
            ld.param.u64 %rd0, [p0];
            mad.wide.u32 %rd0, %r0, 4, %rd0;
            st.global.u32 [%rd0], %r3;
            }
            """;
        var output = new int[32];
        PtxRunner.Run(ptx, (1, 96), [output]);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => i + 32 + i + 64), output);
    }

    [Fact]
    public void Threads_that_left_do_not_hold_up_a_barrier()
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 p0)
            {
            .reg .pred %p<2>; .reg .b32 %r<4>; .reg .b64 %rd<2>;
            mov.u32 %r0, %tid.x;
            setp.ge.u32 %p0, %r0, 40;
            @%p0 ret;
            bar.sync 0;
            ld.param.u64 %rd0, [p0];
            mad.wide.u32 %rd0, %r0, 4, %rd0;
            st.global.u32 [%rd0], %r0;
            bar.sync 0;
            }
            """;
        var output = new int[96];
        PtxRunner.Run(ptx, (1, 96), [output]);
        Assert.Equal(Enumerable.Range(0, 96).Select(i => i < 40 ? i : 0), output);
    }

    [Fact]
    public void A_barrier_nobody_completes_is_an_error()
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry hangs()
            {
            .reg .pred %p<2>; .reg .b32 %r<4>;
            mov.u32 %r0, %tid.x;
            setp.ge.u32 %p0, %r0, 32;
            @%p0 bra OTHER;
            bar.sync 1;
            ret;
            OTHER:
            bar.sync 2;
            }
            """;
        var exception = Assert.Throws<KernelSanitizerException>(() => PtxRunner.Run(ptx, (1, 64), []));
        Assert.Equal(KernelErrorKind.DivergentBarrier, exception.Kind);
        Assert.Equal("hangs", exception.Kernel);
    }
}
