using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>
/// Decode attention over whatever a reader reads: <c>o[r,h] = sum_p softmax_p(q[r,h] . k[p] / sqrt(d)) v[p]</c>, p over the row's token order.
/// </summary>
/// <remarks>
/// Shapes: qkv <c>[rows, (queryHeads + 2 keyHeads) d]</c> bf16, one row per sequence; output <c>[rows, queryHeads d]</c>. One group of four warps per (split of
/// the tokens, key head, row); a warp takes every n-th tile of 16 tokens for up to 8 query heads of the key head, with its own online softmax, so the
/// loop has no group barrier. A second kernel adds the splits. Lengths and bounds are read on the device: capturable as it is.
/// Moves what the reader moves, once per key head; two m16n8k16 per 16 x 8 elements of K and of V. With raw tokens bound by memory, with codes by the
/// reader's products. Source: Dao et al., Flash-Decoding, 2023.
/// </remarks>
internal sealed class ReaderDecodeKernel<TReader>(Accelerator accelerator) : IDecodeKernel<TReader>
    where TReader : unmanaged, IKvReader<TReader>
{
    internal const int Warps = WarpMerge.Warps;

    private readonly KernelOfHeads<DecodeArguments<TReader>> kernels =
        new(accelerator, Kernel<Heads.Of64>, Kernel<Heads.Of80>, Kernel<Heads.Of96>, Kernel<Heads.Of128>);
    private readonly CombineSplitsKernel combine = new(accelerator);

    /// <inheritdoc/>
    public void Launch(AcceleratorStream stream, DecodeArguments<TReader> arguments, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        shape.Validate();
        arguments.QueryHeads = shape.QueryHeads;
        arguments.KeyHeads = shape.KeyHeads;
        arguments.QkvWords = shape.QkvWidth / 2;
        arguments.Scale = shape.ScoreScale;
        var parts = QueryGroup.PartsOf(shape);
        var config = new KernelConfig(new Index3D(arguments.Splits, shape.KeyHeads * parts, rowCount), new Index3D(32 * Warps, 1, 1));
        kernels.Launch(stream, shape.HeadDim, config, arguments);
        if (arguments.Splits > 1)
            combine.Launch(stream, arguments.PartialOutput, arguments.PartialSoftmax, arguments.Output, arguments.LogSumExp, shape, arguments.Splits, rowCount);
    }

    private static void Kernel<THead>(DecodeArguments<TReader> arguments)
        where THead : struct, IHead
    {
        var queryGroup = new QueryGroup(arguments.QueryHeads, arguments.KeyHeads);
        var head = queryGroup.KeyHead;
        var row = Grid.IdxZ;
        var length = arguments.Rows.Positions[row] + 1;
        var sequence = length > 0 ? arguments.Rows.Sequences[row] : 0;
        var limits = arguments.Order.Bounds[sequence];
        var selectedCount = arguments.Order.SelectedOf(sequence, head);
        var codedCount = selectedCount < 0 ? limits.CodedEnd - limits.CodedStart : selectedCount;
        var rawCount = arguments.Order.RawCount(sequence, limits, length);
        var codedTiles = (codedCount + 15) >> 4;
        var tiles = length > 0 ? codedTiles + ((rawCount + 15) >> 4) : 0;

        const int PerTile = 16;
        var shared = SharedMemory.Allocate<UInt4>(Warps * 2 * PerTile * ((THead.Dim / 8) + 1));
        var warp = Group.IdxX >> 5;
        var keys = shared.SubView(warp * 2 * PerTile * ((THead.Dim / 8) + 1));
        var values = keys.SubView(PerTile * ((THead.Dim / 8) + 1));

        var queries = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        WarpAttention.LoadQueries<THead>(arguments.Qkv.SubView(((long)row * arguments.QkvWords) + (queryGroup.OfLane * (THead.Dim / 2))), queries);
        var output = LocalMemory.Allocate<Float4>(THead.Dim / 8);
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
            output[i] = new Float4(0f, 0f, 0f, 0f);
        var max = float.NegativeInfinity;
        var sum = 0f;

        for (var tile = (Grid.IdxX * Warps) + warp; tile < tiles; tile += arguments.Splits * Warps)
        {
            var isCoded = tile < codedTiles;
            var index = ((isCoded ? tile : tile - codedTiles) << 4) + (Warp.LaneIdx & 15);
            var position = arguments.Order.PositionAt(sequence, head, limits, selectedCount, codedCount, length, isCoded, index);
            // A loop, so that the reader's code is there once.
            for (var part = 0; part < 2; part++)
                TReader.Load<THead>(arguments.Reader, sequence, head, part == 1, isCoded, position, keys.SubView(part * PerTile * ((THead.Dim / 8) + 1)));
            Warp.Barrier();
            WarpAttention.Attend<THead>(queries, keys, values, position, arguments.Scale, ref max, ref sum, output);
            Warp.Barrier();
        }

        // Each warp overwrites its own tiles.
        var merged = shared.Cast<float>();
        var stride = 2 * PerTile * ((THead.Dim / 8) + 1) * 4;
        WarpMerge.Store<THead>(merged.SubView(warp * stride, stride), output, max, sum);
        WarpMerge.Write<TReader, THead>(arguments, merged, stride, row, queryGroup.First, queryGroup.Count);
    }
}
