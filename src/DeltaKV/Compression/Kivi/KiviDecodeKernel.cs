using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>Decode attention over every token of a quantised layer: <c>o[r,h] = sum_p softmax_p(q[r,h] . k[p] / sqrt(d)) v[p]</c>.</summary>
/// <remarks>
/// Shapes: qkv <c>[rows, (queryHeads + 2 keyHeads) d]</c> bf16, one row per sequence; output <c>[rows, queryHeads d]</c>. One group of four warps per (split, key head, up to 8 of its
/// query heads, row); a warp takes every n-th block of 32 tokens, which travel to its part of shared memory by asynchronous copies, some blocks ahead, codes and scales in one piece. Integers
/// become operands of the tensor cores by a mask: steps of keys are multiplied into q, steps of values into the weights. Then the raw tokens, and
/// the warps' results are merged; a second kernel adds the splits. Lengths and bounds are read on the device: capturable as it is.
/// Moves <c>32 d (keyBits + valueBits) / 8 + 8 d</c> bytes per block and key head, some 460 instructions per warp and block of 4-bit codes at d = 128: bound by memory.
/// Sources: Liu et al., KIVI, 2024; Dao et al., Flash-Decoding, 2023.
/// </remarks>
internal sealed class KiviDecodeKernel(Accelerator accelerator) : IDecodeKernel<KiviReader>
{
    internal const int Warps = WarpMerge.Warps;

    /// <summary>Groups of a multiprocessor, which share its memory.</summary>
    private const int ResidentGroups = 3;

    private const int Tokens = KiviCode.GroupSize;

    private readonly Dictionary<(int HeadDim, int Keys, int Values), KernelHandle<DecodeArguments<KiviReader>>> kernels = [];
    private readonly CombineSplitsKernel combine = new(accelerator);

    /// <inheritdoc/>
    public void Launch(AcceleratorStream stream, DecodeArguments<KiviReader> arguments, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        var layer = arguments.Reader.Layer;
        var parts = QueryGroup.PartsOf(shape);
        arguments.Splits = Math.Clamp(accelerator.NumMultiprocessors * ResidentGroups / (rowCount * shape.KeyHeads * parts), 1, arguments.Splits);
        arguments.QueryHeads = shape.QueryHeads;
        arguments.KeyHeads = shape.KeyHeads;
        arguments.QkvWords = shape.QkvWidth / 2;
        arguments.Scale = shape.ScoreScale;
        var units = KiviLayout.HeadUnits(shape.HeadDim, layer.KeyBits, layer.ValueBits);
        var config = new KernelConfig(
            new Index3D(arguments.Splits, shape.KeyHeads * parts, rowCount),
            new Index3D(32 * Warps, 1, 1),
            SharedMemoryConfig.RequestDynamic<UInt4>(Math.Max(Warps * Stages(units) * units, KiviMerge.Units(shape.HeadDim))));
        Kernel(layer, shape.HeadDim).Launch(stream, config, arguments);
        if (arguments.Splits > 1)
            combine.Launch(stream, arguments.PartialOutput, arguments.PartialSoftmax, arguments.Output, arguments.LogSumExp, shape, arguments.Splits, rowCount);
    }

    /// <inheritdoc/>
    public bool KeepsLogits(KiviReader reader) => true;

    /// <summary>Blocks in shared memory per warp, of which one is worked on: as many as let three groups share a multiprocessor's 227 KB.</summary>
    private static int Stages(int units) => units <= 192 ? 4 : units <= 384 ? 3 : 2;

    private KernelHandle<DecodeArguments<KiviReader>> Kernel(KiviLayer layer, int headDim)
    {
        if (!kernels.TryGetValue((headDim, layer.KeyBits, layer.ValueBits), out var kernel))
        {
            kernel = headDim == 64 ? Select<Heads.Of64>(layer) : Select<Heads.Of128>(layer);
            kernels.Add((headDim, layer.KeyBits, layer.ValueBits), kernel);
        }

        return kernel;
    }

    private KernelHandle<DecodeArguments<KiviReader>> Select<THead>(KiviLayer layer)
        where THead : struct, IHead =>
        layer.KeyBits switch { 8 => Select<THead, Codes.Encoding.Bytes>(layer), 4 => Select<THead, Nibbles>(layer), _ => Select<THead, Crumbs>(layer) };

    private KernelHandle<DecodeArguments<KiviReader>> Select<THead, TKeys>(KiviLayer layer)
        where THead : struct, IHead
        where TKeys : struct, IChunkWidth => layer.ValueBits switch
        {
            8 => Select<THead, TKeys, Codes.Encoding.Bytes>(),
            4 => Select<THead, TKeys, Nibbles>(),
            _ => Select<THead, TKeys, Crumbs>(),
        };

    private KernelHandle<DecodeArguments<KiviReader>> Select<THead, TKeys, TValues>()
        where THead : struct, IHead
        where TKeys : struct, IChunkWidth
        where TValues : struct, IChunkWidth =>
        new(accelerator, Kernel<THead, TKeys, TValues>, new(32 * Warps, ResidentGroups));

    private static void Kernel<THead, TKeys, TValues>(DecodeArguments<KiviReader> arguments)
        where THead : struct, IHead
        where TKeys : struct, IChunkWidth
        where TValues : struct, IChunkWidth
    {
        var queryGroup = new QueryGroup(arguments.QueryHeads, arguments.KeyHeads);
        var head = queryGroup.KeyHead;
        var query = queryGroup.OfLane;
        var row = Grid.IdxZ;
        var length = arguments.Rows.Positions[row] + 1;
        var sequence = length > 0 ? arguments.Rows.Sequences[row] : 0;
        var limits = arguments.Order.Bounds[sequence];
        var reader = arguments.Reader;
        var units = KiviLayout.HeadUnits(THead.Dim, TKeys.Bits, TValues.Bits);
        var stages = Stages(units);
        var shared = SharedMemory.GetDynamic<UInt4>();
        var ring = shared.SubView((Group.IdxX >> 5) * stages * units);

        var blocks = length > 0 ? (limits.CodedEnd - limits.CodedStart) / Tokens : 0;
        var stride = arguments.Splits * Warps;
        var worker = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        var table = reader.Pool.Tables.SubView(((long)sequence * reader.Pool.TableStride) + (limits.CodedStart / Tokens));
        var pool = reader.Pool.Units.SubView(reader.Layer.FirstUnit + (head * units) + Warp.LaneIdx);

        // Every stage is a group of copies, an empty one at the end, so that waiting counts.
        var fetched = worker;
        for (var stage = 0; stage < Unroll.Full(stages - 1); stage++)
        {
            if (fetched < blocks)
                KiviFragments.Fetch(pool.SubView((long)table[fetched] * reader.Pool.BlockUnits), ring.SubView(stage * units), units);
            CpAsync.Commit();
            fetched += stride;
        }

        // What was quantised was so before this step began; queries and the newest token come from the kernels before this one.
        var nextBlock = blocks > 0 ? table[Math.Min(fetched, blocks - 1)] : 0;
        GridDependency.Wait();
        var queries = LocalMemory.Allocate<UInt4>(THead.Dim / 32);
        LoadQueries<THead>(arguments, row, query, queries);
        if (reader.Layer.IsRotated != 0)
            KiviRotation.Query<THead>(queries);
        var sums = LocalMemory.Allocate<Float4>(THead.Dim / 16);
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
            sums[i] = default;
        Float4 zeros = default;
        var softmax = KiviSoftmax.Start();
        var scores = LocalMemory.Allocate<Float4>(2);
        var current = 0;
        for (var block = worker; block < blocks; block += stride)
        {
            CpAsync.Wait(stages - 2);
            // All lanes' copies are there, and all lanes have read what the next ones overwrite.
            Warp.Barrier();
            var free = ring.SubView((current == 0 ? stages - 1 : current - 1) * units);
            if (fetched < blocks)
                KiviFragments.Fetch(pool.SubView((long)nextBlock * reader.Pool.BlockUnits), free, KiviLayout.HeadUnits(THead.Dim, TKeys.Bits, TValues.Bits));
            CpAsync.Commit();
            fetched += stride;
            nextBlock = table[Math.Min(fetched, blocks - 1)];

            var keys = ring.SubView(current * units);
            KiviFragments.Scores<THead, TKeys>(keys, queries, arguments.Scale, scores);
            if (arguments.Logits.AreKept)
            {
                var list = ((long)row * arguments.KeyHeads) + head;
                arguments.Logits.Keep(list, queryGroup.Part, block * Tokens, blocks * Tokens, scores[0], 1f);
                arguments.Logits.Keep(list, queryGroup.Part, (block * Tokens) + 16, blocks * Tokens, scores[1], 1f);
            }

            softmax.Update<THead>(ref scores[0], ref scores[1], sums, ref zeros);
            var weights = new UInt4(
                Transposed(scores[0].X, scores[0].Y), Transposed(scores[0].Z, scores[0].W), Transposed(scores[1].X, scores[1].Y), Transposed(scores[1].Z, scores[1].W));
            KiviFragments.AddValues<THead, TValues>(keys.SubView(KiviLayout.ValueUnit(THead.Dim, TKeys.Bits)), weights, sums, ref zeros);
            current = current == stages - 1 ? 0 : current + 1;
        }

        KiviFragments.FinishValues<THead>(sums, zeros);
        if (reader.Layer.IsRotated != 0)
            KiviRotation.Output<THead>(sums);
        AddRaw<THead>(arguments, limits, length, sequence, head, row, query, (worker - (blocks % stride) + stride) % stride, ref softmax, sums);
        GridDependency.LaunchDependents();
        CpAsync.WaitAll();
        Group.Barrier();
        KiviMerge.Write<THead>(arguments, shared.Cast<float>(), softmax, sums, row, queryGroup.First, queryGroup.Count);
    }

    /// <summary>The heads' queries as halves: channels 32j + 8t and the next seven.</summary>
    private static void LoadQueries<THead>(in DecodeArguments<KiviReader> arguments, int row, int query, ArrayView<UInt4> queries)
        where THead : struct, IHead
    {
        var source = arguments.Qkv.Cast<UInt4>().SubView(((long)row * (arguments.QkvWords / 4)) + (query * (THead.Dim / 8)) + (Warp.LaneIdx & 3));
        for (var j = 0; j < Unroll.Full(THead.Dim / 32); j++)
            queries[j] = HalfEights.Of(source[4 * j]);
    }

    /// <summary>Sinks and window, 16 tokens at a time, shared among the same workers as the blocks.</summary>
    private static void AddRaw<THead>(
        in DecodeArguments<KiviReader> arguments,
        ReadBounds limits,
        int length,
        int sequence,
        int head,
        int row,
        int query,
        int first,
        ref KiviSoftmax softmax,
        ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        var raw = arguments.Reader.Raw;
        // From the tile on that holds the first token.
        var start = arguments.Order.StartOf(sequence);
        var origin = start & ~15;
        var tiles = length > 0 ? (length - limits.CodedEnd + limits.CodedStart - origin + 15) >> 4 : 0;
        for (var tile = first; tile < tiles; tile += arguments.Splits * Warps)
        {
            var position = origin + (tile << 4);
            position = position < limits.CodedStart ? position : position - limits.CodedStart + limits.CodedEnd;
            var firstRow = raw.RowOf(arguments.KeyHeads, head, sequence, position);
            KiviRawTokens.Attend<THead>(arguments, firstRow, Math.Max(start - position, 0), Math.Min(length - position, 16), row, query, ref softmax, sums);
        }
    }

    private static uint Transposed(float even, float odd) => MoveMatrix.Transpose(Half2.FromSingles(even, odd).Bits);
}
