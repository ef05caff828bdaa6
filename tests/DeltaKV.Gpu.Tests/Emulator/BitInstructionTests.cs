using System.Numerics;

namespace DeltaKV.Gpu.Tests.Emulator;

public sealed class BitInstructionTests
{
    [Fact]
    public void Logic_works_on_words_and_double_words()
    {
        var (a, b, c) = Inputs.Triples<uint>();
        Check(a, b, LaneKernel.Run<uint, uint, uint>("and.b32 %d, %a, %b;", a, b), (x, y) => x & y);
        Check(a, b, LaneKernel.Run<uint, uint, uint>("or.b32 %d, %a, %b;", a, b), (x, y) => x | y);
        Check(a, b, LaneKernel.Run<uint, uint, uint>("xor.b32 %d, %a, %b;", a, b), (x, y) => x ^ y);
        Check(a, b, LaneKernel.Run<uint, uint>("not.b32 %d, %a;", a), (x, _) => ~x);
        Check(a, b, LaneKernel.Run<uint, uint>("cnot.b32 %d, %a;", a), (x, _) => x == 0 ? 1u : 0);
        var (p, q, _) = Inputs.Triples<ulong>();
        Check(p, q, LaneKernel.Run<ulong, ulong, ulong>("and.b64 %d, %a, %b;", p, q), (x, y) => x & y);
        Check(p, q, LaneKernel.Run<ulong, ulong, ulong>("or.b64 %d, %a, %b;", p, q), (x, y) => x | y);
        Check(p, q, LaneKernel.Run<ulong, ulong, ulong>("xor.b64 %d, %a, %b;", p, q), (x, y) => x ^ y);
        Check(p, q, LaneKernel.Run<ulong, ulong>("not.b64 %d, %a;", p), (x, _) => ~x);
        foreach (var table in new[] { 0x80, 0xFE, 0x96, 0xE8, 0x6A, 0xCA, 0x01, 0xFF, 0x00 })
        {
            var actual = LaneKernel.Run<uint, uint, uint, uint>($"lop3.b32 %d, %a, %b, %c, {table};", a, b, c);
            for (var i = 0; i < a.Length; i++)
            {
                uint expected = 0;
                for (var bit = 0; bit < 32; bit++)
                {
                    var row = (int)((a[i] >> bit & 1) * 4 + (b[i] >> bit & 1) * 2 + (c[i] >> bit & 1));
                    expected |= (uint)(table >> row & 1) << bit;
                }

                Assert.Equal(expected, actual[i]);
            }
        }
    }

    [Fact]
    public void Shifts_saturate()
    {
        var (a, b, c) = Inputs.Triples<uint>();
        Check(a, b, LaneKernel.Run<uint, uint, uint>("shl.b32 %d, %a, %b;", a, b), (x, y) => y > 31 ? 0 : x << (int)y);
        Check(a, b, LaneKernel.Run<uint, uint, uint>("shr.u32 %d, %a, %b;", a, b), (x, y) => y > 31 ? 0 : x >> (int)y);
        Check(a, b, LaneKernel.Run<uint, uint, uint>("shr.s32 %d, %a, %b;", a, b), (x, y) => (uint)((int)x >> (int)Math.Min(y, 31)));
        Check(a, b, LaneKernel.Run<uint, uint>("shl.b32 %d, %a, 4;", a), (x, _) => x << 4);
        var (p, _, _) = Inputs.Triples<ulong>();
        var q = p.Select((_, i) => (uint)(i * 7 % 80)).ToArray();
        Check(p, q, LaneKernel.Run<ulong, uint, ulong>("shl.b64 %d, %a, %b;", p, q), (x, y) => y > 63 ? 0 : x << (int)y);
        Check(p, q, LaneKernel.Run<ulong, uint, ulong>("shr.u64 %d, %a, %b;", p, q), (x, y) => y > 63 ? 0 : x >> (int)y);
        Check(p, q, LaneKernel.Run<ulong, uint, ulong>("shr.s64 %d, %a, %b;", p, q), (x, y) => (ulong)((long)x >> (int)Math.Min(y, 63)));
        Check(p, q, LaneKernel.Run<ulong, ulong>("shr.u64 %d, %a, 40;", p), (x, _) => x >> 40);
        Triple(a, b, c, "shf.l.wrap.b32", (x, y, n) => (uint)(((((ulong)y << 32) | x) << (int)(n & 31)) >> 32));
        Triple(a, b, c, "shf.r.wrap.b32", (x, y, n) => (uint)((((ulong)y << 32) | x) >> (int)(n & 31)));
        Triple(a, b, c, "shf.l.clamp.b32", (x, y, n) => n >= 32 ? x : (uint)(((((ulong)y << 32) | x) << (int)n) >> 32));
        Triple(a, b, c, "shf.r.clamp.b32", (x, y, n) => n >= 32 ? y : (uint)((((ulong)y << 32) | x) >> (int)n));
    }

    [Fact]
    public void Counts_and_finds_bits()
    {
        var (a, b, _) = Inputs.Triples<uint>();
        Check(a, b, LaneKernel.Run<uint, uint>("popc.b32 %d, %a;", a), (x, _) => (uint)BitOperations.PopCount(x));
        Check(a, b, LaneKernel.Run<uint, uint>("clz.b32 %d, %a;", a), (x, _) => (uint)BitOperations.LeadingZeroCount(x));
        Check(a, b, LaneKernel.Run<uint, uint>("brev.b32 %d, %a;", a), (x, _) => Reverse(x));
        Check(a, b, LaneKernel.Run<uint, uint>("bfind.u32 %d, %a;", a), (x, _) => x == 0 ? uint.MaxValue : (uint)BitOperations.Log2(x));
        Check(a, b, LaneKernel.Run<uint, uint>("bfind.s32 %d, %a;", a), (x, _) =>
        {
            var magnitude = (int)x < 0 ? ~x : x;
            return magnitude == 0 ? uint.MaxValue : (uint)BitOperations.Log2(magnitude);
        });
        var (p, q, _) = Inputs.Triples<ulong>();
        Check(p, q, LaneKernel.Run<ulong, uint>("popc.b64 %d, %a;", p), (x, _) => (uint)BitOperations.PopCount(x));
        Check(p, q, LaneKernel.Run<ulong, uint>("clz.b64 %d, %a;", p), (x, _) => (uint)BitOperations.LeadingZeroCount(x));
        Check(p, q, LaneKernel.Run<ulong, ulong>("brev.b64 %d, %a;", p), (x, _) => ((ulong)Reverse((uint)x) << 32) | Reverse((uint)(x >> 32)));
    }

    [Fact]
    public void Extracts_inserts_and_permutes()
    {
        var random = new Random(Inputs.Seed);
        var (a, b, _) = Inputs.Triples<uint>();
        var position = a.Select(_ => (uint)random.Next(40)).ToArray();
        var length = a.Select(_ => (uint)random.Next(40)).ToArray();
        Triple(a, position, length, "bfe.u32", (x, p, n) => (uint)((p > 31 ? 0ul : x >> (int)p) & ((1ul << (int)n) - 1)));
        Triple(a, position, length, "bfe.s32", (x, p, n) =>
        {
            if (n == 0)
                return 0;
            uint result = 0;
            var sign = x >> (int)Math.Min(p + n - 1, 31) & 1;
            for (var i = 0; i < 32; i++)
                result |= (i < n && p + i < 32 ? x >> (int)(p + i) & 1 : sign) << i;
            return result;
        });
        foreach (var (p, n) in new[] { (0, 4), (4, 4), (28, 4), (0, 32), (31, 1), (7, 13) })
        {
            Check(a, b, LaneKernel.Run<uint, uint>($"bfe.u32 %d, %a, {p}, {n};", a), (x, _) => (uint)((x >> p) & ((1ul << n) - 1)));
            Check(a, b, LaneKernel.Run<uint, uint>($"mov.u32 %r4, {p}; bfe.s32 %d, %a, %r4, {n};", a), (x, _) => (uint)((int)(x << (32 - p - n)) >> (32 - n)));
        }

        var inserted = LaneKernel.Run<uint, uint, uint, uint>("bfi.b32 %d, %a, %b, %c, 7;", a, b, position);
        for (var i = 0; i < a.Length; i++)
        {
            var p = (int)position[i];
            var mask = p > 31 ? 0u : 0x7Fu << p;
            Assert.Equal((b[i] & ~mask) | (p > 31 ? 0 : (a[i] << p) & mask), inserted[i]);
        }

        foreach (var selector in new[] { 0x3210u, 0x7654u, 0x5410u, 0x7632u, 0x0123u, 0xF8B4u, 0x4404u })
        {
            var actual = LaneKernel.Run<uint, uint, uint>($"prmt.b32 %d, %a, %b, {selector};", a, b);
            var constant = a.Select(_ => selector).ToArray();
            Assert.Equal(actual, LaneKernel.Run<uint, uint, uint, uint>("prmt.b32 %d, %a, %b, %c;", a, b, constant));
            for (var i = 0; i < a.Length; i++)
            {
                uint expected = 0;
                for (var k = 0; k < 4; k++)
                {
                    var nibble = selector >> (4 * k) & 15;
                    var value = (uint)((((ulong)b[i] << 32) | a[i]) >> (8 * (int)(nibble & 7))) & 0xFF;
                    if ((nibble & 8) != 0)
                        value = value > 127 ? 0xFFu : 0;
                    expected |= value << (8 * k);
                }

                Assert.Equal(expected, actual[i]);
            }
        }

        Triple(a, b, position, "dp4a.s32.s32", (x, y, z) =>
            (uint)(Enumerable.Range(0, 4).Sum(k => (sbyte)(x >> (8 * k)) * (sbyte)(y >> (8 * k))) + (int)z));
        Triple(a, b, position, "dp4a.u32.s32", (x, y, z) =>
            (uint)(Enumerable.Range(0, 4).Sum(k => (byte)(x >> (8 * k)) * (sbyte)(y >> (8 * k))) + (int)z));
    }

    [Fact]
    public void Integer_comparisons_are_signed_or_not_as_asked()
    {
        var (a, b, _) = Inputs.Triples<int>();
        (string Name, Func<int, int, bool> Holds)[] cases =
        [
            ("eq.s32", (x, y) => x == y), ("ne.s32", (x, y) => x != y), ("lt.s32", (x, y) => x < y), ("le.s32", (x, y) => x <= y),
            ("gt.s32", (x, y) => x > y), ("ge.s32", (x, y) => x >= y), ("lt.u32", (x, y) => (uint)x < (uint)y),
            ("ge.u32", (x, y) => (uint)x >= (uint)y), ("lo.u32", (x, y) => (uint)x < (uint)y), ("ls.u32", (x, y) => (uint)x <= (uint)y),
            ("hi.u32", (x, y) => (uint)x > (uint)y), ("hs.u32", (x, y) => (uint)x >= (uint)y),
        ];
        foreach (var (name, holds) in cases)
        {
            var actual = LaneKernel.Run<int, int, int>($"setp.{name} %p2|%p3, %a, %b; selp.s32 %r4, 1, 0, %p2; selp.s32 %d, 2, %r4, %p3;", a, b);
            Check(a, b, actual, (x, y) => holds(x, y) ? 1 : 2);
        }

        var (p, q, _) = Inputs.Triples<long>();
        Check(p, q, LaneKernel.Run<long, long, int>("setp.lt.s64 %p2, %a, %b; selp.s32 %d, 1, 0, %p2;", p, q), (x, y) => x < y ? 1 : 0);
        Check(p, q, LaneKernel.Run<long, long, int>("setp.gt.u64 %p2, %a, %b; selp.s32 %d, 1, 0, %p2;", p, q), (x, y) => (ulong)x > (ulong)y ? 1 : 0);
        Check(p, q, LaneKernel.Run<long, long, long>("setp.lt.s64 %p2, %a, %b; selp.b64 %d, %a, %b, %p2;", p, q), Math.Min);
    }

    [Fact]
    public void Predicates_combine()
    {
        var (a, b, _) = Inputs.Triples<int>();
        Check(
            a, b, LaneKernel.Run<int, int, int>("setp.lt.s32 %p2, %a, 5; setp.gt.and.s32 %p3, %b, 9, !%p2; selp.s32 %d, 1, 0, %p3;", a, b),
            (x, y) => y > 9 && x >= 5 ? 1 : 0);
        Check(
            a, b, LaneKernel.Run<int, int, int>("setp.lt.s32 %p2, %a, 5; setp.gt.xor.s32 %p3|%p4, %b, 9, %p2; selp.s32 %d, 1, 0, %p4;", a, b),
            (x, y) => (!(y > 9)) ^ (x < 5) ? 1 : 0);
        Check(
            a, b,
            LaneKernel.Run<int, int, int>(
                "setp.lt.s32 %p2, %a, 5; setp.gt.s32 %p3, %b, 9; or.pred %p4, %p2, %p3; not.pred %p4, %p4; xor.pred %p5, %p4, %p2; mov.pred %p6, %p5; selp.s32 %d, 1, 0, %p6;", a, b),
            (x, y) => (!(x < 5 || y > 9)) ^ (x < 5) ? 1 : 0);
        Check(a, b, LaneKernel.Run<int, int, int>("set.lt.u32.s32 %d, %a, %b;", a, b), (x, y) => x < y ? -1 : 0);
        Check(a, b, LaneKernel.Run<int, int, int>("slct.s32.s32 %d, %a, %b, %a;", a, b), (x, y) => x >= 0 ? x : y);
    }

    private static void Triple(uint[] a, uint[] b, uint[] c, string instruction, Func<uint, uint, uint, uint> expected)
    {
        var actual = LaneKernel.Run<uint, uint, uint, uint>(instruction + " %d, %a, %b, %c;", a, b, c);
        for (var i = 0; i < a.Length; i++)
            Assert.True(expected(a[i], b[i], c[i]) == actual[i], $"{instruction} {a[i]:X}, {b[i]:X}, {c[i]:X} gave {actual[i]:X}, expected {expected(a[i], b[i], c[i]):X}");
    }

    private static void Check<TA, TB, TD>(TA[] a, TB[] b, TD[] actual, Func<TA, TB, TD> expected)
    {
        for (var i = 0; i < a.Length; i++)
            Assert.True(Equals(expected(a[i], b[i % b.Length]), actual[i]), $"({a[i]}, {b[i % b.Length]}) gave {actual[i]}, expected {expected(a[i], b[i % b.Length])}");
    }

    private static uint Reverse(uint value)
    {
        uint result = 0;
        for (var i = 0; i < 32; i++)
            result |= (value >> i & 1) << (31 - i);
        return result;
    }
}
