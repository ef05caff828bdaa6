using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Kernels.Single;

/// <summary>Causal attention over a paged fp32 cache, for prefill and decode alike: the exact and slow form for comparing models.</summary>
/// <remarks>One warp per query and head walks the keys in order with a running maximum; a lane has pairs <c>l</c> and <c>l + 32</c> of the head.</remarks>
internal sealed class SingleAttention(Accelerator accelerator, AttentionShape shape)
{
    private readonly KernelHandle<Arguments> decode = new(accelerator, Decode);
    private readonly KernelHandle<Arguments> prefill = new(accelerator, Prefill);

    /// <summary>Attends from one row per sequence.</summary>
    internal void LaunchDecode(
        AcceleratorStream stream, ArrayView<float> qkv, TokenRows rows, KvBlocks<float> cache, ArrayView<float> output, int count)
    {
        if (count > 0)
            decode.Launch(stream, Config(count, 32), new Arguments(qkv, rows, default, cache, output, shape));
    }

    /// <summary>Attends from the rows of tiles.</summary>
    internal void LaunchPrefill(
        AcceleratorStream stream, ArrayView<float> qkv, ArrayView<PrefillTile> tiles, KvBlocks<float> cache, ArrayView<float> output, int tileCount)
    {
        if (tileCount > 0)
            prefill.Launch(stream, Config(tileCount, 256), new Arguments(qkv, default, tiles, cache, output, shape));
    }

    private static void Decode(Arguments arguments) =>
        Attend(arguments, Grid.IdxX, arguments.Rows.Sequences[Grid.IdxX], arguments.Rows.Positions[Grid.IdxX]);

    private static void Prefill(Arguments arguments)
    {
        var tile = arguments.Tiles[Grid.IdxX];
        for (var i = Group.IdxX >> 5; i < tile.Count; i += Group.DimX >> 5)
            Attend(arguments, tile.FirstRow + i, tile.Sequence, tile.FirstPosition + i);
    }

    private static void Attend(in Arguments arguments, int row, int sequence, int position)
    {
        var head = Grid.IdxY;
        var pairs = arguments.HeadDim / 2;
        var low = Warp.LaneIdx;
        var high = Warp.LaneIdx + 32;
        var query = arguments.Qkv.SubView(((long)row * arguments.QkvPairs) + (head * pairs));
        var queryLow = Read(query, low, pairs);
        var queryHigh = Read(query, high, pairs);
        var table = arguments.Cache.Tables.SubView(sequence * (long)arguments.Cache.TableStride);
        Float2 sumLow = default, sumHigh = default;
        var largest = float.NegativeInfinity;
        var total = 0f;
        var first = 0;
        if (arguments.Cache.Starts.Length > 0)
            first = arguments.Cache.Starts[sequence];
        for (var key = first; key <= position; key++)
        {
            var block = ((long)table[key / KvBlockLayout.Size] * arguments.KeyHeads) + (head / arguments.QueriesPerKey);
            var at = ((block * KvBlockLayout.Size) + (key % KvBlockLayout.Size)) * pairs;
            var keys = arguments.Cache.Keys.SubView(at);
            var score = WarpReduce.Sum(Dot(queryLow, Read(keys, low, pairs)) + Dot(queryHigh, Read(keys, high, pairs))) * arguments.Scale;
            var next = MathF.Max(largest, score);
            var keep = FastMath.Exp(largest - next);
            var weight = FastMath.Exp(score - next);
            largest = next;
            total = (total * keep) + weight;
            var values = arguments.Cache.Values.SubView(at);
            sumLow = Add(sumLow, keep, Read(values, low, pairs), weight);
            sumHigh = Add(sumHigh, keep, Read(values, high, pairs), weight);
        }

        var scale = position < 0 ? 0f : 1f / total;
        var output = arguments.Output.SubView(((long)row * (arguments.KeyHeads * arguments.QueriesPerKey) + head) * pairs);
        if (low < pairs)
            output[low] = new Float2(sumLow.X * scale, sumLow.Y * scale);
        if (high < pairs)
            output[high] = new Float2(sumHigh.X * scale, sumHigh.Y * scale);
    }

    private static Float2 Read(ArrayView<Float2> head, int pair, int pairs)
    {
        Float2 value = default;
        if (pair < pairs)
            value = head[pair];
        return value;
    }

    private static float Dot(Float2 a, Float2 b) => FastMath.Fma(a.X, b.X, a.Y * b.Y);

    private static Float2 Add(Float2 sum, float keep, Float2 value, float weight) =>
        new(FastMath.Fma(sum.X, keep, value.X * weight), FastMath.Fma(sum.Y, keep, value.Y * weight));

    private KernelConfig Config(int groups, int threads) =>
        new(new Index2D(groups, shape.QueryHeads), new Index2D(threads, 1));

    private readonly struct Arguments(
        ArrayView<float> qkv,
        TokenRows rows,
        ArrayView<PrefillTile> tiles,
        KvBlocks<float> cache,
        ArrayView<float> output,
        AttentionShape shape)
    {
        public readonly ArrayView<Float2> Qkv = qkv.Cast<Float2>();
        public readonly TokenRows Rows = rows;
        public readonly ArrayView<PrefillTile> Tiles = tiles;
        public readonly KvBlocks<Float2> Cache = new(cache.Keys.Cast<Float2>(), cache.Values.Cast<Float2>(), cache.Tables, cache.TableStride, starts: cache.Starts);
        public readonly ArrayView<Float2> Output = output.Cast<Float2>();
        public readonly int KeyHeads = shape.KeyHeads;
        public readonly int QueriesPerKey = shape.GroupSize;
        public readonly int HeadDim = shape.HeadDim;
        public readonly int QkvPairs = shape.QkvWidth / 2;
        public readonly float Scale = 1f / MathF.Sqrt(shape.HeadDim);
    }
}
