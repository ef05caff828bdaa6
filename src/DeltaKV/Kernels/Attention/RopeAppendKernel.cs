using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>
/// Rotary embedding and cache append in one pass over q, k, v: <c>(a, b) -> (a cos - b sin, b cos + a sin)</c> with <c>a = x[i]</c>,
/// <c>b = x[i + d/2]</c>, angle <c>position * inverseFrequency[i]</c>; q in place, k and v into the blocks. Optionally a norm over each head of q and k before it.
/// </summary>
/// <remarks>
/// Shapes: qkv <c>[rows, (queryHeads + 2 keyHeads) * d]</c>; k stays unrotated there. One warp per row and head; a lane has two neighbours of each half.
/// The angle is reduced to [-pi, pi] in two fused steps, so the approximate sine holds at any position. Moves 4 bytes per
/// element of qkv: bound by memory, at decode by the launch. Sources: Su et al., RoFormer, 2021; Qwen3 (norm of heads).
/// </remarks>
/// <typeparam name="T">Storage of an element.</typeparam>
/// <typeparam name="TPair">Two elements.</typeparam>
/// <typeparam name="TPairs">How to read a pair.</typeparam>
internal sealed class RopeAppendKernel<T, TPair, TPairs>(Accelerator accelerator)
    where T : unmanaged
    where TPair : unmanaged
    where TPairs : struct, IPairs<TPair>
{
    private const int WarpsPerGroup = 4;

    private readonly KernelHandle<Arguments> ropeAppend = new(accelerator, Kernel);

    /// <summary>Rotates and appends <paramref name="count"/> rows.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="qkv">q, k and v side by side; q is rotated in place.</param>
    /// <param name="rows">What the rows are.</param>
    /// <param name="cache">Where k and v go.</param>
    /// <param name="rope">Frequencies and norms.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="count">The number of rows.</param>
    internal void Launch(
        AcceleratorStream stream, ArrayView<T> qkv, TokenRows rows, KvBlocks<T> cache, RopeWeights<T> rope, AttentionShape shape, int count)
    {
        if (count == 0)
            return;
        var heads = shape.QueryHeads + (2 * shape.KeyHeads);
        var pairs = new KvBlocks<TPair>(cache.Keys.Cast<TPair>(), cache.Values.Cast<TPair>(), cache.Tables, cache.TableStride, cache.BlockShift);
        var weights = new RopeWeights<TPair>(
            rope.InverseFrequencies, rope.Scale, rope.QueryNorm.Cast<TPair>(), rope.KeyNorm.Cast<TPair>(), rope.Epsilon);
        ropeAppend.Launch(
            stream,
            new KernelConfig(new Index2D((heads + WarpsPerGroup - 1) / WarpsPerGroup, count), new Index2D(32 * WarpsPerGroup, 1)),
            new Arguments(qkv.Cast<TPair>(), rows, pairs, weights, shape));
    }

    private static void Kernel(Arguments arguments)
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var row = Grid.IdxY;
        var head = (Grid.IdxX * WarpsPerGroup) + (Group.IdxX >> 5);
        var heads = arguments.QueryHeads + (2 * arguments.KeyHeads);
        var position = arguments.Rows.Positions[row];
        if (head >= heads || position < 0)
            return;

        var quarter = arguments.HeadDim >> 2;
        var lane = Warp.LaneIdx;
        var active = lane < quarter;
        var source = arguments.Qkv.SubView(((((long)row * heads) + head) * (2 * quarter)) + Math.Min(lane, quarter - 1));
        var a = source[0];
        var b = source[quarter];
        var target = source;
        if (head >= arguments.QueryHeads)
        {
            var keyHead = head - arguments.QueryHeads;
            var isValue = keyHead >= arguments.KeyHeads;
            if (isValue)
                keyHead -= arguments.KeyHeads;
            var cacheRow = arguments.Cache.RowOf(arguments.KeyHeads, keyHead, arguments.Rows.Sequences[row], position);
            target = (isValue ? arguments.Cache.Values : arguments.Cache.Keys).SubView((cacheRow * (2 * quarter)) + Math.Min(lane, quarter - 1));
            if (isValue)
            {
                if (active)
                {
                    target[0] = a;
                    target[quarter] = b;
                }

                return;
            }
        }

        var first = new Float2(TPairs.First(a), TPairs.Second(a));
        var second = new Float2(TPairs.First(b), TPairs.Second(b));
        var norm = head < arguments.QueryHeads ? arguments.Rope.QueryNorm : arguments.Rope.KeyNorm;
        if (norm.Length > 0)
        {
            var square = (first.X * first.X) + (first.Y * first.Y) + (second.X * second.X) + (second.Y * second.Y);
            var scale = FastMath.Rsqrt((WarpReduce.Sum(active ? square : 0f) / arguments.HeadDim) + arguments.Rope.Epsilon);
            var low = norm[Math.Min(lane, quarter - 1)];
            var high = norm[Math.Min(lane, quarter - 1) + quarter];
            first = new Float2(first.X * scale * TPairs.First(low), first.Y * scale * TPairs.Second(low));
            second = new Float2(second.X * scale * TPairs.First(high), second.Y * scale * TPairs.Second(high));
        }

        if (!active)
            return;
        var even = Rotation(position * arguments.Rope.InverseFrequencies[2 * lane], arguments.Rope.Scale);
        var odd = Rotation(position * arguments.Rope.InverseFrequencies[(2 * lane) + 1], arguments.Rope.Scale);
        target[0] = TPairs.Pack((first.X * even.X) - (second.X * even.Y), (first.Y * odd.X) - (second.Y * odd.Y));
        target[quarter] = TPairs.Pack((second.X * even.X) + (first.X * even.Y), (second.Y * odd.X) + (first.Y * odd.Y));
    }

    /// <summary>(cos, sin) of an angle of any size, times <paramref name="scale"/>.</summary>
    private static Float2 Rotation(float angle, float scale)
    {
        var turns = MathF.Round(angle * 0.15915494f);
        angle = FastMath.Fma(turns, -6.2831855f, angle);
        angle = FastMath.Fma(turns, 1.7484556e-7f, angle);
        return new Float2(FastMath.Cos(angle) * scale, FastMath.Sin(angle) * scale);
    }

    private readonly struct Arguments(ArrayView<TPair> qkv, TokenRows rows, KvBlocks<TPair> cache, RopeWeights<TPair> rope, AttentionShape shape)
    {
        public readonly ArrayView<TPair> Qkv = qkv;
        public readonly TokenRows Rows = rows;
        public readonly KvBlocks<TPair> Cache = cache;
        public readonly RopeWeights<TPair> Rope = rope;
        public readonly int QueryHeads = shape.QueryHeads;
        public readonly int KeyHeads = shape.KeyHeads;
        public readonly int HeadDim = shape.HeadDim;
    }
}
