namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class WarpInstructionTests
{
    private static readonly int[] Values = Enumerable.Range(0, 64).Select(i => (i * 37) + 5).ToArray();

    [Theory]
    [InlineData("up", 3, 0)]
    [InlineData("down", 3, 31)]
    [InlineData("bfly", 5, 31)]
    [InlineData("idx", 9, 31)]
    [InlineData("up", 2, 0x1800)]
    [InlineData("down", 2, 0x1807)]
    [InlineData("bfly", 4, 0x1807)]
    [InlineData("idx", 3, 0x181F)]
    [InlineData("idx", 3, 0x1F)]
    public void Shuffles_follow_the_specification(string mode, int b, int c)
    {
        var expected = Enumerable.Range(0, 64).Select(thread =>
        {
            var lane = thread % 32;
            var (clamp, segment) = (c & 31, c >> 8 & 31);
            var maximum = (lane & segment) | (clamp & ~segment);
            var minimum = lane & segment;
            var source = mode switch { "up" => lane - b, "down" => lane + b, "bfly" => lane ^ b, _ => minimum | (b & ~segment) };
            var inRange = mode == "up" ? source >= maximum : source <= maximum;
            return (Values[thread - lane + (inRange ? source : lane)] * 2) + (inRange ? 1 : 0);
        });
        var actual = Run($"shfl.sync.{mode}.b32 %r4|%p1, %r3, {b}, {c}, -1; selp.u32 %r5, 1, 0, %p1; mad.lo.u32 %r6, %r4, 2, %r5;");
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void A_shuffle_may_take_its_lane_from_a_register_and_overwrite_its_source()
    {
        var actual = Run("xor.b32 %r5, %r1, 31; shfl.sync.idx.b32 %r3, %r3, %r5, 31, 0xffffffff; mov.u32 %r6, %r3;");
        Assert.Equal(Enumerable.Range(0, 64).Select(i => Values[i ^ 31]), actual);
    }

    [Fact]
    public void Votes_and_ballots_see_the_whole_warp()
    {
        Assert.Equal(
            Enumerable.Repeat(0x1FFF, 64),
            Run("setp.lt.s32 %p1, %r1, 13; vote.sync.ballot.b32 %r6, %p1, -1;"));
        Assert.Equal(
            Enumerable.Repeat(0b0101, 64),
            Run("""
                setp.lt.s32 %p1, %r1, 13;
                vote.sync.any.pred %p2, %p1, -1; vote.sync.all.pred %p3, %p1, -1;
                setp.lt.s32 %p1, %r1, 99;
                vote.sync.uni.pred %p4, %p1, -1; vote.sync.all.pred %p5, !%p1, -1;
                selp.u32 %r6, 1, 0, %p2; selp.u32 %r7, 2, 0, %p3; or.b32 %r6, %r6, %r7;
                selp.u32 %r7, 4, 0, %p4; or.b32 %r6, %r6, %r7; selp.u32 %r7, 8, 0, %p5; or.b32 %r6, %r6, %r7;
                """));
    }

    [Fact]
    public void Reductions_match_election_and_masks()
    {
        foreach (var (name, fold) in new (string, Func<int, int, int>)[]
        {
            ("add.s32", (x, y) => x + y), ("min.s32", Math.Min), ("max.s32", Math.Max), ("and.b32", (x, y) => x & y),
            ("or.b32", (x, y) => x | y), ("xor.b32", (x, y) => x ^ y), ("max.u32", (x, y) => (int)Math.Max((uint)x, (uint)y)),
        })
        {
            var expected = Enumerable.Range(0, 64).Select(i => Values.Skip(i / 32 * 32).Take(32).Select(x => x - 500).Aggregate(fold));
            Assert.Equal(expected, Run($"sub.s32 %r3, %r3, 500; redux.sync.{name} %r6, %r3, 0xffffffff;"));
        }

        Assert.Equal(Enumerable.Range(0, 64).Select(i => 0x11111111 << (i % 4)), Run("and.b32 %r3, %r1, 3; match.any.sync.b32 %r6, %r3, -1;"));
        Assert.Equal(
            Enumerable.Repeat(5, 64),
            Run("mov.u32 %r3, 7; match.all.sync.b32 %r4|%p1, %r3, -1; match.all.sync.b32 %r5|%p2, %r1, -1; selp.u32 %r6, 5, 0, %p1; selp.u32 %r7, 2, 0, %p2; add.u32 %r6, %r6, %r7; add.u32 %r6, %r6, %r5;"));
        Assert.Equal(
            Enumerable.Range(0, 64).Select(i => i % 32 == 4 ? 104 : 4), Run("elect.sync %r4|%p1, 0xfffffff0; selp.u32 %r6, 100, 0, %p1; add.u32 %r6, %r6, %r4;"));
        Assert.Equal(
            Enumerable.Range(0, 64).Select(i => (i % 32) + (31 - (i % 32)) + 32 + (i % 32) + 1),
            Run("""
                mov.u32 %r4, %lanemask_lt; popc.b32 %r4, %r4; mov.u32 %r5, %lanemask_gt; popc.b32 %r5, %r5; add.u32 %r4, %r4, %r5;
                activemask.b32 %r5; popc.b32 %r5, %r5; add.u32 %r4, %r4, %r5; mov.u32 %r5, %lanemask_le; popc.b32 %r5, %r5; add.u32 %r6, %r4, %r5;
                """));
    }

    [Fact]
    public void A_branch_apart_keeps_its_exchange_to_itself()
    {
        // Odd lanes exchange among themselves under their own mask, then all do.
        var actual = Run(
            """
            and.b32 %r4, %r1, 1; setp.eq.u32 %p1, %r4, 0; mov.u32 %r6, 0;
            @%p1 bra JOIN;
            redux.sync.add.s32 %r6, %r1, 0xaaaaaaaa;
            vote.sync.ballot.b32 %r7, %p1, 0xaaaaaaaa;
            add.u32 %r6, %r6, %r7;
            JOIN:
            bar.warp.sync -1;
            shfl.sync.bfly.b32 %r7, %r6, 1, 31, -1;
            mad.lo.u32 %r6, %r6, 3, %r7;
            """);
        Assert.Equal(Enumerable.Range(0, 64).Select(i => i % 2 == 1 ? 256 * 3 : 256), actual);
    }

    [Fact]
    public void Lanes_ahead_wait_for_those_a_full_mask_names()
    {
        // The block that all lanes share comes before one that only some take, so they reach it apart.
        var actual = Run(
            """
            and.b32 %r4, %r1, 1; setp.eq.u32 %p1, %r4, 0; mov.u32 %r5, 1;
            @%p1 bra FAR;
            NEAR:
            shfl.sync.bfly.b32 %r6, %r5, 1, 31, 0xffffffff;
            bra OUT;
            FAR:
            mov.u32 %r5, 9;
            bra NEAR;
            OUT:
            """);
        Assert.Equal(Enumerable.Range(0, 64).Select(i => i % 2 == 0 ? 1 : 9), actual);
    }

    [Fact]
    public void Atomics_return_the_old_value_and_count_across_blocks()
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 p0, .param .u64 p1)
            {
            .reg .pred %p<4>; .reg .b32 %r<16>; .reg .b64 %rd<8>; .reg .f32 %f<4>; .reg .f64 %fd<4>;
            .shared .align 8 .b8 cells[32];
            ld.param.u64 %rd0, [p0];
            mov.u32 %r0, %tid.x; mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x;
            mad.lo.u32 %r3, %r1, %r2, %r0;
            setp.eq.u32 %p0, %r0, 0;
            @%p0 st.shared.u32 [cells], 0;
            bar.sync 0;
            atom.global.add.u32 %r4, [%rd0], 1;
            ld.param.u64 %rd1, [p1];
            mad.wide.u32 %rd2, %r4, 4, %rd1;
            st.global.u32 [%rd2], %r3;
            red.global.max.s32 [%rd0+4], %r3;
            red.global.min.s32 [%rd0+8], %r3;
            and.b32 %r5, %r3, 31;
            mov.u32 %r6, 1;
            shl.b32 %r6, %r6, %r5;
            red.global.or.b32 [%rd0+12], %r6;
            red.global.xor.b32 [%rd0+16], %r3;
            red.relaxed.gpu.global.add.f32 [%rd0+20], 0f3F800000;
            atom.global.inc.u32 %r7, [%rd0+24], 99;
            atom.global.dec.u32 %r7, [%rd0+28], 99;
            cvt.u64.u32 %rd3, %r3;
            red.global.add.u64 [%rd0+32], %rd3;
            cvt.rn.f64.u32 %fd0, %r3;
            red.global.add.f64 [%rd0+40], %fd0;
            red.global.add.noftz.bf16x2 [%rd0+48], 0x3F803F80;
            red.global.add.noftz.f16x2 [%rd0+52], 0x3C003C00;
            atom.shared.add.u32 %r8, [cells], 2;
            AGAIN:
            ld.relaxed.gpu.global.u32 %r9, [%rd0+56];
            add.u32 %r10, %r9, %r8;
            atom.acq_rel.gpu.global.cas.b32 %r11, [%rd0+56], %r9, %r10;
            setp.ne.u32 %p1, %r11, %r9;
            @%p1 bra AGAIN;
            atom.global.exch.b32 %r12, [%rd0+60], %r3;
            red.global.and.b32 [%rd0+64], -2;
            }
            """;
        const int blocks = 20, threads = 96, total = blocks * threads;
        var cells = new int[18];
        cells[2] = int.MaxValue;
        cells[16] = 7;
        var order = new int[total];
        PtxRunner.Run(ptx, (blocks, threads), [cells, order]);
        Assert.Equal(total, cells[0]);
        Assert.Equal(Enumerable.Range(0, total), order.Order());
        Assert.Equal(total - 1, cells[1]);
        Assert.Equal(0, cells[2]);
        Assert.Equal(-1, cells[3]);
        Assert.Equal(Enumerable.Range(0, total).Aggregate((x, y) => x ^ y), cells[4]);
        Assert.Equal(total, BitConverter.Int32BitsToSingle(cells[5]));
        Assert.Equal(total % 100, cells[6]);
        Assert.Equal((100 - (total % 100)) % 100, cells[7]);
        const long sum = (long)total * (total - 1) / 2;
        Assert.Equal(sum, BitConverter.ToInt64([.. BitConverter.GetBytes(cells[8]), .. BitConverter.GetBytes(cells[9])]));
        Assert.Equal(sum, BitConverter.ToDouble([.. BitConverter.GetBytes(cells[10]), .. BitConverter.GetBytes(cells[11])]));
        Assert.Equal(0x43804380, cells[12]); // bf16 sticks at 256, where one is half a unit
        Assert.Equal((BitConverter.HalfToUInt16Bits((System.Half)total) << 16) | BitConverter.HalfToUInt16Bits((System.Half)total), cells[13]);
        Assert.Equal(blocks * Enumerable.Range(0, threads).Sum(i => 2 * i), cells[14]);
        Assert.InRange(cells[15], 0, total - 1);
        Assert.Equal(6, cells[16]);
    }

    /// <summary>Two warps; %r1 is the lane, %r3 the thread's value, the result is taken from %r6.</summary>
    private static int[] Run(string body)
    {
        var ptx = $$"""
            {{PtxRunner.Header}}
            .visible .entry k(.param .u64 p0, .param .u64 p1)
            {
            .reg .pred %p<8>; .reg .b32 %r<12>; .reg .b64 %rd<4>;
            mov.u32 %r0, %tid.x; mov.u32 %r1, %laneid;
            ld.param.u64 %rd0, [p0]; ld.param.u64 %rd1, [p1];
            mad.wide.u32 %rd0, %r0, 4, %rd0; mad.wide.u32 %rd1, %r0, 4, %rd1;
            ld.global.u32 %r3, [%rd0];
            {{body}}
            st.global.u32 [%rd1], %r6;
            }
            """;
        var output = new int[64];
        PtxRunner.Run(ptx, (1, 64), [Values, output]);
        return output;
    }
}
