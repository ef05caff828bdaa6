using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>
/// What tokens are ranked by: <c>rank[h,p] = pool(mass[h], p) + priority[p]</c>, without end for sinks and recent tokens; if heads share their tokens, of the sum over heads.
/// </summary>
/// <remarks>
/// Shapes: mass <c>[keyHeads, stride]</c> fp32, or marks <c>[blocks, keyHeads, 64]</c> through the sequence's table, or neither; rank <c>[heads, stride]</c>. Tokens that stay
/// anyway do not take part in pooling. Moves 8 bytes per token and head: bound by the launch.
/// </remarks>
internal sealed class RankKernel(Accelerator accelerator)
{
    private const int Threads = 256;

    private readonly KernelHandle<Arguments> rank = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, Arguments arguments, int heads) =>
        rank.Launch(stream, new KernelConfig(new Index3D((arguments.Count + Threads - 1) / Threads, heads, 1), new Index3D(Threads, 1, 1)), arguments);

    private static void Kernel(Arguments arguments)
    {
        var token = (Grid.IdxX * Threads) + Group.IdxX;
        if (token >= arguments.Count)
            return;
        var history = arguments.Count - arguments.Recent;
        var value = float.PositiveInfinity;
        if (token >= arguments.Sinks && token < history)
        {
            value = 0f;
            var radius = arguments.PoolWidth >> 1;
            for (var i = Math.Max(0, token - radius); i <= Math.Min(history - 1, token + radius); i++)
            {
                var mass = MassOf(arguments, i);
                value = arguments.IsMax ? MathF.Max(value, mass) : value + mass;
            }

            if (!arguments.IsMax)
                value /= arguments.PoolWidth;
            if (arguments.Priorities.Length > 0)
                value = MathF.Max(value + arguments.Priorities[token], 0f);
        }

        arguments.Ranks[((long)Grid.IdxY * arguments.Stride) + token] = value;
    }

    private static float MassOf(in Arguments arguments, int token)
    {
        if (!arguments.IsShared)
            return MassOf(arguments, Grid.IdxY, token);
        var sum = 0f;
        for (var head = 0; head < arguments.KeyHeads; head++)
            sum += MassOf(arguments, head, token);
        return sum;
    }

    private static float MassOf(in Arguments arguments, int head, int token)
    {
        if (arguments.Mass.Length > 0)
            return arguments.Mass[((long)head * arguments.Stride) + token];
        if (arguments.Marks.Length == 0)
            return 0f;
        var slot = arguments.Start + token;
        return arguments.Marks[KvBlockLayout.RowOf(arguments.Table[slot >> KvBlockLayout.Shift], arguments.KeyHeads, head, slot)];
    }

    internal struct Arguments
    {
        public ArrayView<float> Mass;
        public ArrayView<float> Marks;
        public ArrayView<int> Table;
        public ArrayView<float> Priorities;
        public ArrayView<float> Ranks;
        public int Stride;
        public int Start;
        public int Count;
        public int Sinks;
        public int Recent;
        public int PoolWidth;
        public int KeyHeads;
        public bool IsMax;
        public bool IsShared;
    }
}
