using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>What a quantised observation layer thinks of its history: the largest softmax weight of every token, as <see cref="ScoreKernel{TReader}"/> defines it.</summary>
/// <remarks>
/// Shapes as there. A warp takes a block of 32 tokens head by head: codes, steps and zeros of keys travel to shared memory some heads ahead, scores come from
/// <see cref="KiviFragments"/>, the maximum stays in registers. Moves <c>32 d keyBits / 8 + 4 d</c> bytes per block and key head, not quite half of what decoding moves.
/// </remarks>
internal sealed class KiviScoreKernel(Accelerator accelerator) : IScoreKernel<KiviReader>
{
    private const int Warps = 4;
    private const int Tokens = KiviCode.GroupSize;
    private const int ResidentGroups = 4;

    private readonly Dictionary<(int HeadDim, int Bits), KernelHandle<Arguments>> kernels = [];

    /// <inheritdoc/>
    public void Launch(
        AcceleratorStream stream, DecodeArguments<KiviReader> decode, ArrayView<float> scores, int scoreStride, int lists, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        var bits = decode.Reader.Layer.KeyBits;
        if (!kernels.TryGetValue((shape.HeadDim, bits), out var kernel))
            kernels.Add((shape.HeadDim, bits), kernel = shape.HeadDim == 64 ? Select<Heads.Of64>(bits) : Select<Heads.Of128>(bits));
        var units = KiviLayout.ValueUnit(shape.HeadDim, bits);
        var groups = Math.Clamp(accelerator.NumMultiprocessors * ResidentGroups / rowCount, 1, (scoreStride + (Tokens * Warps) - 1) / (Tokens * Warps));
        var shared = (shape.QueryHeads * QueryUnits(shape.HeadDim)) + (Warps * Stages(units) * units);
        kernel.Launch(
            stream,
            new KernelConfig(new Index3D(groups, rowCount, 1), new Index3D(32 * Warps, 1, 1), SharedMemoryConfig.RequestDynamic<UInt4>(shared)),
            new Arguments
            {
                Reader = decode.Reader,
                Rows = decode.Rows,
                Bounds = decode.Order.Bounds,
                Qkv = decode.Qkv.Cast<UInt4>(),
                LogSumExp = decode.LogSumExp,
                Scores = scores,
                ScoreStride = scoreStride,
                Lists = lists,
                QueryHeads = shape.QueryHeads,
                KeyHeads = shape.KeyHeads,
                QkvUnits = shape.QkvWidth / 8,
                Scale = shape.ScoreScale,
            });
    }

    private KernelHandle<Arguments> Select<THead>(int bits)
        where THead : struct, IHead => bits switch
        {
            8 => new(accelerator, Kernel<THead, Codes.Encoding.Bytes>, new(32 * Warps, ResidentGroups)),
            4 => new(accelerator, Kernel<THead, Nibbles>, new(32 * Warps, ResidentGroups)),
            _ => new(accelerator, Kernel<THead, Crumbs>, new(32 * Warps, ResidentGroups)),
        };

    /// <summary>Pieces of 16 bytes from one query to the next: four more than it has keep reads free of bank conflicts.</summary>
    private static int QueryUnits(int headDim) => (headDim / 8) + 4;

    private static int Stages(int units) => units <= 96 ? 6 : units <= 160 ? 4 : 3;

    private static void Kernel<THead, TKeys>(Arguments arguments)
        where THead : struct, IHead
        where TKeys : struct, IChunkWidth
    {
        var row = Grid.IdxY;
        // The whole group leaves together.
        if (arguments.Rows.Positions[row] < 0)
            return;
        var sequence = arguments.Rows.Sequences[row];
        var limits = arguments.Bounds[sequence];
        var blocks = (limits.CodedEnd - limits.CodedStart) / Tokens;
        var reader = arguments.Reader;
        var units = KiviLayout.ValueUnit(THead.Dim, TKeys.Bits);
        var stages = Stages(units);
        var queries = SharedMemory.GetDynamic<UInt4>();
        var ring = queries.SubView((arguments.QueryHeads * QueryUnits(THead.Dim)) + ((Group.IdxX >> 5) * stages * units));
        StageQueries<THead>(arguments, row, queries);
        Group.Barrier();

        var stride = Grid.DimX * Warps;
        var worker = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        var table = reader.Pool.Tables.SubView(((long)sequence * reader.Pool.TableStride) + (limits.CodedStart / Tokens));
        var pool = reader.Pool.Units.SubView(reader.Layer.FirstUnit + Warp.LaneIdx);
        var headUnits = KiviLayout.HeadUnits(THead.Dim, TKeys.Bits, reader.Layer.ValueBits);
        var items = worker < blocks ? ((blocks - worker + stride - 1) / stride) * arguments.KeyHeads : 0;

        var fetched = 0;
        var next = items > 0 ? table[worker] : 0;
        for (var stage = 0; stage < Unroll.Full(stages - 1); stage++)
        {
            if (fetched < items)
                KiviFragments.Fetch(pool.SubView(((long)next * reader.Pool.BlockUnits) + (fetched % arguments.KeyHeads * headUnits)), ring.SubView(stage * units), units);
            CpAsync.Commit();
            next = Advance(ref fetched, next, table, items, arguments.KeyHeads, worker, stride);
        }

        var current = 0;
        var item = 0;
        for (var block = worker; block < blocks; block += stride)
        {
            var best = new Float4(0f, 0f, 0f, 0f);
            for (var head = 0; head < arguments.KeyHeads; head++, item++)
            {
                CpAsync.Wait(stages - 2);
                Warp.Barrier();
                var free = ring.SubView((current == 0 ? stages - 1 : current - 1) * units);
                var source = pool.SubView(((long)next * reader.Pool.BlockUnits) + (fetched % arguments.KeyHeads * headUnits));
                if (fetched < items)
                    KiviFragments.Fetch(source, free, KiviLayout.ValueUnit(THead.Dim, TKeys.Bits));
                CpAsync.Commit();
                next = Advance(ref fetched, next, table, items, arguments.KeyHeads, worker, stride);
                best = Larger<THead, TKeys>(arguments, row, head, queries, ring.SubView(current * units), best);
                current = current == stages - 1 ? 0 : current + 1;
                if (arguments.Lists > 1)
                {
                    Store(arguments, (row * arguments.Lists) + head, block, best);
                    best = new Float4(0f, 0f, 0f, 0f);
                }
            }

            if (arguments.Lists == 1)
                Store(arguments, row, block, best);
        }
    }

    /// <summary>The block of the item after the one fetched, asked for early.</summary>
    private static int Advance(ref int fetched, int block, ArrayView<int> table, int items, int keyHeads, int worker, int stride)
    {
        fetched++;
        return fetched % keyHeads == 0 && fetched < items ? table[worker + (fetched / keyHeads * stride)] : block;
    }

    /// <summary>All queries of the row as halves.</summary>
    private static void StageQueries<THead>(Arguments arguments, int row, ArrayView<UInt4> queries)
        where THead : struct, IHead
    {
        if (arguments.Reader.Layer.IsRotated != 0)
        {
            var words = THead.Dim / 64;
            var source = arguments.Qkv.Cast<uint>().SubView(((long)row * arguments.QkvUnits * 4) + (Warp.LaneIdx * words));
            var target = queries.Cast<uint>().SubView(Warp.LaneIdx * words);
            for (var head = Group.IdxX >> 5; head < arguments.QueryHeads; head += Warps)
                KiviRotation.Row<THead>(source.SubView(head * (THead.Dim / 2)), target.SubView(head * QueryUnits(THead.Dim) * 4), false);
            return;
        }

        for (var i = Group.IdxX; i < arguments.QueryHeads * (THead.Dim / 8); i += Group.DimX)
            queries[(i / (THead.Dim / 8) * QueryUnits(THead.Dim)) + (i % (THead.Dim / 8))] = HalfEights.Of(arguments.Qkv[((long)row * arguments.QkvUnits) + i]);
    }

    /// <summary>The larger of what is best so far of tokens g + 8i and the weights that the heads over a key head give them.</summary>
    private static Float4 Larger<THead, TKeys>(Arguments arguments, int row, int head, ArrayView<UInt4> staged, ArrayView<UInt4> keys, Float4 best)
        where THead : struct, IHead
        where TKeys : struct, IChunkWidth
    {
        var groupSize = arguments.QueryHeads / arguments.KeyHeads;
        var queries = LocalMemory.Allocate<UInt4>(THead.Dim / 32);
        var scores = LocalMemory.Allocate<Float4>(2);
        var sums = arguments.LogSumExp.SubView(((long)row * arguments.QueryHeads) + (head * groupSize));
        for (var first = 0; first < groupSize; first += 8)
        {
            var source = staged.SubView((((head * groupSize) + Math.Min(first + (Warp.LaneIdx >> 2), groupSize - 1)) * QueryUnits(THead.Dim)) + (Warp.LaneIdx & 3));
            for (var j = 0; j < Unroll.Full(THead.Dim / 32); j++)
                queries[j] = source[4 * j];
            KiviFragments.Scores<THead, TKeys>(keys, queries, arguments.Scale, scores);
            var column = first + (2 * (Warp.LaneIdx & 3));
            var even = sums[Math.Min(column, groupSize - 1)] * Softmax.Log2E;
            var odd = sums[Math.Min(column + 1, groupSize - 1)] * Softmax.Log2E;
            best = new Float4(
                MathF.Max(best.X, FastMath.Ex2(MathF.Max(scores[0].X - even, scores[0].Y - odd))),
                MathF.Max(best.Y, FastMath.Ex2(MathF.Max(scores[0].Z - even, scores[0].W - odd))),
                MathF.Max(best.Z, FastMath.Ex2(MathF.Max(scores[1].X - even, scores[1].Y - odd))),
                MathF.Max(best.W, FastMath.Ex2(MathF.Max(scores[1].Z - even, scores[1].W - odd))));
        }

        return best;
    }

    /// <summary>The maximum over the four lanes that share tokens; each writes those of one eighth.</summary>
    private static void Store(Arguments arguments, int list, int block, Float4 best)
    {
        for (var mask = 1; mask <= 2; mask <<= 1)
        {
            best = new Float4(
                MathF.Max(best.X, Warp.ShuffleXor(best.X, mask)),
                MathF.Max(best.Y, Warp.ShuffleXor(best.Y, mask)),
                MathF.Max(best.Z, Warp.ShuffleXor(best.Z, mask)),
                MathF.Max(best.W, Warp.ShuffleXor(best.W, mask)));
        }

        var part = Warp.LaneIdx & 3;
        var own = part == 0 ? best.X : part == 1 ? best.Y : part == 2 ? best.Z : best.W;
        arguments.Scores[((long)list * arguments.ScoreStride) + (block * Tokens) + (8 * part) + (Warp.LaneIdx >> 2)] = own;
    }

    private struct Arguments
    {
        public KiviReader Reader;
        public TokenRows Rows;
        public ArrayView<ReadBounds> Bounds;
        public ArrayView<UInt4> Qkv;
        public ArrayView<float> LogSumExp;
        public ArrayView<float> Scores;
        public int ScoreStride;
        public int Lists;
        public int QueryHeads;
        public int KeyHeads;
        public int QkvUnits;
        public float Scale;
    }
}
