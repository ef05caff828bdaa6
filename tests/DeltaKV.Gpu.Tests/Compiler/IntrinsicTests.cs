using System.Diagnostics;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>The members of the dialect, run in a group and compared with what they promise.</summary>
public class IntrinsicTests
{
    private struct Triple
    {
        public int A;
        public double B;
        public byte C;
    }

    [Theory, AcceleratorData]
    public void Shuffles_move_any_type(TestDevice device)
    {
        static void Kernel(ArrayView<long> y)
        {
            var lane = Warp.LaneIdx;
            y[lane] = Warp.Shuffle(lane * 10_000_000_000L, 5);
            y[32 + lane] = Warp.ShuffleDown(lane, 3);
            y[64 + lane] = Warp.ShuffleUp(lane, 2);
            y[96 + lane] = (long)Warp.ShuffleXor(lane * 1.5, 7);
            y[128 + lane] = (long)Warp.ShuffleDown((float)lane, 1, 8);
            y[160 + lane] = Warp.Shuffle(lane, 1, 4);
            var triple = Warp.ShuffleXor(new Triple { A = lane, B = lane * 0.5, C = (byte)lane }, 1);
            y[192 + lane] = triple.A + (long)(triple.B * 200) + (triple.C * 100_000L);
        }

        var y = Run<long>(device, Kernel, 224, 32);
        for (var lane = 0; lane < 32; lane++)
        {
            Assert.Equal(50_000_000_000L, y[lane]);
            Assert.Equal(lane + 3 < 32 ? lane + 3 : lane, y[32 + lane]);
            Assert.Equal(lane >= 2 ? lane - 2 : lane, y[64 + lane]);
            Assert.Equal((long)((lane ^ 7) * 1.5), y[96 + lane]);
            Assert.Equal(lane % 8 == 7 ? lane : lane + 1, y[128 + lane]);
            Assert.Equal((lane & ~3) + 1, y[160 + lane]);
            Assert.Equal((lane ^ 1) + (100L * (lane ^ 1)) + (100_000L * (lane ^ 1)), y[192 + lane]);
        }
    }

    [Theory, AcceleratorData]
    public void Barriers_count_and_combine(TestDevice device)
    {
        static void Kernel(ArrayView<int> y)
        {
            var i = Group.IdxX;
            var count = Group.BarrierPopCount(i % 3 == 0);
            var all = Group.BarrierAnd(i < 96);
            var any = Group.BarrierOr(i == 95);
            y[i] = count + (all ? 1000 : 0) + (any ? 10_000 : 0);
            y[96 + i] = Group.BarrierAnd(i != 4) ? 1 : 2;
        }

        var y = Run<int>(device, Kernel, 192, 96);
        Assert.All(y[..96], value => Assert.Equal(11_032, value));
        Assert.All(y[96..], value => Assert.Equal(2, value));
    }

    [Theory, AcceleratorData]
    public void Atomics_give_the_old_value_and_lose_nothing(TestDevice device)
    {
        static void Kernel(ArrayView<int> y, ArrayView<long> z, ArrayView<float> f)
        {
            var shared = SharedMemory.Allocate<int>(2);
            if (Group.IsFirstThread)
            {
                shared[0] = 0;
                shared[1] = -1;
            }

            Group.Barrier();
            var i = Group.IdxX;
            Atomic.Add(ref shared[0], i);
            Atomic.And(ref shared[1], ~(1 << (i & 15)));
            Atomic.Add(ref y[0], 1);
            Atomic.Min(ref y[1], -i);
            Atomic.Max(ref y[2], i);
            Atomic.Or(ref y[3], 1 << (i & 31));
            Atomic.Xor(ref y[4], i);
            if (Atomic.CompareExchange(ref y[5], 0, i + 1) == 0)
                Atomic.Exchange(ref y[6], 77);
            Atomic.Add(ref z[0], 5_000_000_000L);
            Atomic.Max(ref z[1], -i);
            Atomic.Min(ref z[2], -i * 3_000_000_000L);
            Atomic.Add(ref f[0], 0.5f);
            Atomic.Max(ref f[1], i);
            Atomic.Min(ref f[2], -i);
            Group.Barrier();
            y[7] = shared[0];
            y[8] = shared[1];
        }

        var accelerator = TestAccelerators.Get(device);
        using var y = accelerator.Allocate1D(new int[9]);
        using var z = accelerator.Allocate1D([0L, long.MinValue, 0L]);
        using var f = accelerator.Allocate1D([0f, -1f, 1f]);
        accelerator.LoadStreamKernel<ArrayView<int>, ArrayView<long>, ArrayView<float>>(Kernel)((1, 64), y.View, z.View, f.View);
        var result = y.GetAsArray1D();
        Assert.Equal([64, -63, 63, -1, 0], result[..5]);
        Assert.InRange(result[5], 1, 64);
        Assert.Equal([77, 63 * 32, ~0xffff], result[6..]);
        Assert.Equal([320_000_000_000L, 0L, -189_000_000_000L], z.GetAsArray1D());
        Assert.Equal([32f, 63f, -63f], f.GetAsArray1D());
    }

    [Theory, AcceleratorData]
    public void Packed_atomics_add_both_halves(TestDevice device)
    {
        static void Kernel(ArrayView<BFloat16x2> y) => Atomic.Add(ref y[0], BFloat16x2.FromSingles(1, 2));

        var sum = Run<BFloat16x2>(device, Kernel, 1, 64)[0];
        Assert.Equal((64f, 128f), (sum.Low, sum.High));
    }

    [Theory, AcceleratorData]
    public void Broadcast_and_reductions_reach_every_thread(TestDevice device)
    {
        static void Kernel(ArrayView<float> y)
        {
            var i = Group.IdxX;
            y[i] = Group.Broadcast(i * 2f, 70);
            y[128 + i] = GroupReduce.Sum(i);
            y[256 + i] = GroupReduce.Max(-i) + Warp.Broadcast(i, 3);
        }

        var y = Run<float>(device, Kernel, 384, 128);
        Assert.All(y[..128], value => Assert.Equal(140, value));
        Assert.All(y[128..256], value => Assert.Equal(127 * 64, value));
        for (var i = 0; i < 128; i++)
            Assert.Equal((i / 32 * 32) + 3, y[256 + i]);
    }

    [Theory, AcceleratorData]
    public void Inline_assembly_reads_and_writes_registers(TestDevice device)
    {
        static void Kernel(ArrayView<int> y)
        {
            var i = Group.IdxX;
            CudaAsm.Emit("mad.lo.s32 %0, %1, %2, 7;", out int result, i, 3);
            Input<int> a = i;
            Ref<int> b = 100;
            Output<int> c = default;
            CudaAsm.EmitRef("{ .reg .b32 t; add.s32 t, %0, %1; mov.b32 %1, t; shl.b32 %2, t, 1; }", ref a, ref b, ref c);
            CudaAsm.Emit("membar.cta;");
            CudaAsm.Emit("mov.u32 %0, %%laneid;", out int lane);
            y[i] = result;
            y[32 + i] = b.Value;
            y[64 + i] = c.Value;
            y[96 + i] = lane;
        }

        var y = Run<int>(device, Kernel, 128, 32);
        for (var i = 0; i < 32; i++)
            Assert.Equal([(i * 3) + 7, i + 100, (i + 100) * 2, i], [y[i], y[32 + i], y[64 + i], y[96 + i]]);
    }

    [Theory, AcceleratorData]
    public void Views_cast_and_narrow(TestDevice device)
    {
        static void Kernel(ArrayView<int> y)
        {
            if (Group.IdxX > 0)
                return;
            var bytes = y.Cast<byte>();
            var longs = y.SubView(2).Cast<long>();
            var part = y.SubView(4, 3);
            bytes[1] = 1;
            longs[1] = -1;
            part[0] = part.IntLength;
            part[1L] = (int)bytes.Length;
            part[2] = (int)longs.Length + y.Cast<Float4>().IntLength;
            y[7] = y.IntExtent.X;
        }

        Assert.Equal([256, 0, 0, 0, 3, 32, 3 + 2, 8], Run<int>(device, Kernel, 8, 1));
    }

    [Theory, AcceleratorData]
    public void Local_arrays_index_by_what_they_like_when_allowed(TestDevice device)
    {
        var y = Run<int>(device, LocalKernel, 64, 64);
        for (var i = 0; i < 64; i++)
            Assert.Equal(((i + 3) % 8 * 10) + i, y[i]);
    }

    [Theory, AcceleratorData]
    public void Register_arrays_pass_through_calls_loops_and_structs(TestDevice device)
    {
        static void Kernel(ArrayView<int> y)
        {
            var rows = new Rows { First = LocalMemory.Allocate<int>(3), Second = LocalMemory.Allocate<int>(3) };
            for (var i = 0; i < Unroll.Full(3); i++)
            {
                rows.First[i] = i;
                rows.Second[i] = 10 * i;
            }

            for (var step = 0; step < Group.IdxX; step++)
            {
                if ((step & 1) == 0)
                    Rotate(rows.First, 1);
                else
                    Rotate(rows.Second, rows.First[0]);
            }

            y[Group.IdxX] = rows.First[0] + (rows.First[1] * 100) + (rows.Second[2] * 1000) + (int)rows.First.Cast<float>().Length;
        }

        var y = Run<int>(device, Kernel, 8, 8);
        for (var thread = 0; thread < 8; thread++)
        {
            int[] first = [0, 1, 2], second = [0, 10, 20];
            for (var step = 0; step < thread; step++)
            {
                var array = (step & 1) == 0 ? first : second;
                var add = (step & 1) == 0 ? 1 : first[0];
                (array[0], array[1], array[2]) = (array[1] + add, array[2] + add, array[0] + add);
            }

            Assert.Equal(first[0] + (first[1] * 100) + (second[2] * 1000) + 3, y[thread]);
        }
    }

    [Theory, AcceleratorData]
    public void A_failed_assert_traps(TestDevice device)
    {
        // A trap ends a CUDA context for good, and with it every test that follows.
        if (device == TestDevice.Cuda)
            return;
        Assert.ThrowsAny<Exception>(() => Run<int>(device, TrapKernel, 1, 1));
    }

    [Theory, AcceleratorData]
    public void A_static_lambda_is_a_kernel(TestDevice device)
    {
        var y = Run<int>(device, static y => y[Group.IdxX] = Group.IdxX + Group.DimX, 8, 8);
        Assert.Equal(Enumerable.Range(8, 8), y);
    }

    private struct Rows
    {
        public ArrayView<int> First;
        public ArrayView<int> Second;
    }

    [AllowLocalMemory]
    private static void LocalKernel(ArrayView<int> y)
    {
        var array = LocalMemory.Allocate<int>(8);
        for (var i = 0; i < 8; i++)
            array[i] = i * 10;
        var thread = Group.IdxX;
        array[(thread + 3) % 8] += thread;
        y[thread] = array[(thread + 3) & 7];
    }

    private static void TrapKernel(ArrayView<int> y) => Trace.Assert(y[0] == 1, "y starts with 1");

    private static void Rotate(ArrayView<int> array, int add)
    {
        var first = array[0];
        for (var i = 0; i < Unroll.Full(2); i++)
            array[i] = array[i + 1] + add;
        array[2] = first + add;
    }

    private static T[] Run<T>(TestDevice device, Action<ArrayView<T>> kernel, int length, int groupSize)
        where T : unmanaged
    {
        var accelerator = TestAccelerators.Get(device);
        using var buffer = accelerator.Allocate1D(new T[length]);
        accelerator.LoadStreamKernel(kernel)((1, groupSize), buffer.View);
        accelerator.Synchronize();
        return buffer.GetAsArray1D();
    }
}
