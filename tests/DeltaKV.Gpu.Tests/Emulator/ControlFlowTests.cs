namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class ControlFlowTests
{
    private static readonly int[] Values = Enumerable.Range(0, 200).ToArray();

    [Fact]
    public void Lanes_take_both_sides_of_a_branch()
    {
        var result = LaneKernel.Run<int, int>(
            """
            and.b32 %r4, %a, 1;
            setp.eq.s32 %p2, %r4, 0;
            @%p2 bra EVEN;
            mul.lo.s32 %d, %a, 3;
            bra JOIN;
            EVEN:
            add.s32 %d, %a, 1000;
            JOIN:
            add.s32 %d, %d, 7;
            """, Values);
        Assert.Equal(Values.Select(x => (x % 2 == 0 ? x + 1000 : x * 3) + 7), result);
    }

    [Fact]
    public void Loops_of_different_length_nest()
    {
        // for (i = 0; i < a % 5; i++) for (j = i; j < a % 7; j++) d += i * 10 + j
        var result = LaneKernel.Run<int, int>(
            """
            rem.s32 %r4, %a, 5;
            rem.s32 %r5, %a, 7;
            mov.u32 %r6, 0;
            OUTER:
            setp.ge.s32 %p2, %r6, %r4;
            @%p2 bra END;
            mov.u32 %r7, %r6;
            INNER:
            setp.lt.s32 %p3, %r7, %r5;
            @!%p3 bra NEXT;
            mad.lo.s32 %r3, %r6, 10, %r7;
            add.s32 %d, %d, %r3;
            add.s32 %r7, %r7, 1;
            bra.uni INNER;
            NEXT:
            add.s32 %r6, %r6, 1;
            bra OUTER;
            END:
            """, Values);
        Assert.Equal(Values.Select(Expected), result);

        static int Expected(int a)
        {
            var d = 0;
            for (var i = 0; i < a % 5; i++)
            {
                for (var j = i; j < a % 7; j++)
                    d += (i * 10) + j;
            }

            return d;
        }
    }

    [Fact]
    public void Lanes_break_and_continue_at_their_own_time()
    {
        // while (true) { i++; if (i * 3 > a) break; if (i & 1) continue; d += i; }
        var result = LaneKernel.Run<int, int>(
            """
            mov.u32 %r4, 0;
            HEAD:
            add.s32 %r4, %r4, 1;
            mul.lo.s32 %r5, %r4, 3;
            setp.gt.s32 %p2, %r5, %a;
            @%p2 bra OUT;
            and.b32 %r5, %r4, 1;
            setp.ne.s32 %p3, %r5, 0;
            @%p3 bra HEAD;
            add.s32 %d, %d, %r4;
            bra HEAD;
            OUT:
            """, Values);
        Assert.Equal(Values.Select(a => Enumerable.Range(1, 1000).TakeWhile(i => i * 3 <= a).Where(i => i % 2 == 0).Sum()), result);
    }

    [Fact]
    public void Lanes_exit_early()
    {
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 p0)
            {
            .reg .pred %p<4>; .reg .b32 %r<8>; .reg .b64 %rd<4>;
            mov.u32 %r0, %tid.x;
            ld.param.u64 %rd0, [p0];
            mad.wide.u32 %rd0, %r0, 4, %rd0;
            setp.lt.u32 %p0, %r0, 7;
            @%p0 exit;
            and.b32 %r1, %r0, 3;
            setp.eq.u32 %p1, %r1, 0;
            @%p1 st.global.u32 [%rd0], 5;
            @%p1 ret;
            mov.u32 %r2, 0;
            LOOP:
            add.u32 %r2, %r2, 1;
            setp.eq.u32 %p2, %r2, %r0;
            @%p2 bra LEAVE;
            bra LOOP;
            LEAVE:
            st.global.u32 [%rd0], %r2;
            }
            """;
        var output = new int[48];
        PtxRunner.Run(ptx, (1, 48), [output]);
        Assert.Equal(Enumerable.Range(0, 48).Select(i => i < 7 ? 0 : i % 4 == 0 ? 5 : i), output);
    }

    [Fact]
    public void Switch_ladders_and_indexed_branches_reach_every_case()
    {
        var expected = Values.Select(x => (x % 5) switch { 0 => 10, 1 => 21, 2 => 32, 3 => 43, _ => 99 });
        Assert.Equal(expected, LaneKernel.Run<int, int>(
            """
            rem.s32 %r4, %a, 5;
            setp.eq.s32 %p2, %r4, 0;
            @%p2 bra C0;
            setp.eq.s32 %p2, %r4, 1;
            @%p2 bra C1;
            setp.eq.s32 %p2, %r4, 2;
            @%p2 bra C2;
            setp.eq.s32 %p2, %r4, 3;
            @%p2 bra C3;
            mov.u32 %d, 99; bra OUT;
            C0: mov.u32 %d, 10; bra OUT;
            C1: mov.u32 %d, 21; bra OUT;
            C2: mov.u32 %d, 32; bra OUT;
            C3: mov.u32 %d, 43;
            OUT:
            """, Values));
        Assert.Equal(expected, LaneKernel.Run<int, int>(
            """
            rem.s32 %r4, %a, 5;
            TABLE: .branchtargets C0, C1, C2, C3, C4;
            brx.idx %r4, TABLE;
            C4: mov.u32 %d, 99; bra OUT;
            C0: mov.u32 %d, 10; bra OUT;
            C3: mov.u32 %d, 43; bra OUT;
            C2: mov.u32 %d, 32; bra OUT;
            C1: mov.u32 %d, 21;
            OUT:
            """, Values));
    }

    [Fact]
    public void Guards_apply_to_the_lanes_that_hold_the_predicate()
    {
        Assert.Equal(
            Values.Select(x => x > 50 ? x * 2 : -x),
            LaneKernel.Run<int, int>(
                "setp.gt.s32 %p2, %a, 50;\nneg.s32 %d, %a;\n@%p2 shl.b32 %d, %a, 1;\n@!%p2 mov.b32 %d, %d;", Values));
    }

    [Fact]
    public void Scoped_labels_and_registers_may_repeat()
    {
        const string template = "{ .reg .pred p; .reg .b32 t; mov.u32 t, 5; setp.gt.s32 p, %a, t; @p bra L; add.s32 %d, %d, 1; L: add.s32 %d, %d, t; }\n";
        Assert.Equal(Values.Select(x => x > 5 ? 10 : 12), LaneKernel.Run<int, int>(template + template, Values));
    }

    [Fact]
    public void An_infinite_wait_for_another_warp_lets_it_run()
    {
        // Warp 0 spins until warp 1 has written the flag.
        const string ptx = PtxRunner.Header + """
            .visible .entry k(.param .u64 p0)
            {
            .reg .pred %p<2>; .reg .b32 %r<4>; .reg .b64 %rd<2>;
            ld.param.u64 %rd0, [p0];
            mov.u32 %r0, %tid.x;
            setp.ge.u32 %p0, %r0, 32;
            @%p0 bra WRITER;
            SPIN:
            ld.acquire.gpu.global.u32 %r1, [%rd0];
            setp.eq.u32 %p1, %r1, 0;
            @%p1 bra SPIN;
            st.global.u32 [%rd0+4], %r1;
            ret;
            WRITER:
            st.release.gpu.global.u32 [%rd0], 17;
            ret;
            }
            """;
        var output = new int[2];
        PtxRunner.Run(ptx, (1, 64), [output]);
        Assert.Equal([17, 17], output);
    }

    [Fact]
    public void A_trap_names_kernel_block_thread_and_line()
    {
        const string ptx = PtxRunner.Header + """
            .file 1 "/src/Assert.cs"
            .visible .entry checked_kernel()
            {
            .reg .pred %p; .reg .b32 %r<2>;
            .loc 1 42 5
            mov.u32 %r0, %tid.x;
            setp.ne.u32 %p, %r0, 5;
            @%p bra OK;
            .loc 1 43 9
            trap;
            OK:
            ret;
            }
            """;
        var exception = Assert.Throws<KernelTrapException>(() => PtxRunner.Run(ptx, (2, 32), []));
        Assert.Contains("checked_kernel", exception.Message, StringComparison.Ordinal);
        Assert.Contains("thread (5, 0, 0)", exception.Message, StringComparison.Ordinal);
        Assert.Contains("/src/Assert.cs:43", exception.Message, StringComparison.Ordinal);
    }
}
