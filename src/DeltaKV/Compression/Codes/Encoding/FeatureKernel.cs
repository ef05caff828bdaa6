using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;
using static DeltaKV.Compression.Codes.HiddenLayerTile;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>The hidden layer of nonlinear encoders, of tokens and of their references at once: <c>d = phi(W x + b) - phi(W r + b)</c>, phi SwiGLU or GELU.</summary>
/// <remarks>
/// Shapes: x, r <c>[layer][item][16][width]</c> fp16; W <c>[rows, length]</c> fp16 per group of a layer; d <c>[layer][item][16][feature width]</c> fp16. One group of
/// four warps per (column tile, 64 tokens, layer group): rows of the left operand are 16 tokens, then the 16 references of the same tokens, and so on, so that
/// the two sums whose features are subtracted meet in one lane, in fp32: no feature is written, only the difference, rounded once. Tiles as in <see cref="HiddenLayerTile"/>.
/// Does <c>4 * rows * length</c> operations per token: bound by the tensor cores for a prompt, by reading W for the one block of a decode step.
/// </remarks>
internal sealed class FeatureKernel(Accelerator accelerator)
{
    private const int Items = LeftRows / 32;
    private const int StageChunks = SwizzledTile.RowChunks;

    private readonly KernelHandle<Arguments> gated = new(accelerator, Kernel<GatedFeatures>, new(32 * Warps, 2));
    private readonly KernelHandle<Arguments> smooth = new(accelerator, Kernel<SmoothFeatures>, new(32 * Warps, 2));

    internal void Launch(AcceleratorStream stream, FlushView flush, CodeTables codes)
    {
        if (flush.ItemCount == 0)
            return;
        Launch(stream, gated, flush, codes, codes.GatedUnits, codes.GatedCount, (codes.FeatureWidth + 31) / 32);
        Launch(stream, smooth, flush, codes, codes.SmoothUnits, codes.SmoothCount, (codes.FeatureWidth + 63) / 64);
    }

    private static void Launch(
        AcceleratorStream stream, KernelHandle<Arguments> kernel, FlushView flush, CodeTables codes, ArrayView<FeatureUnit> units, int count, int columnTiles)
    {
        if (count == 0)
            return;
        var grid = new Index3D(columnTiles, (flush.ItemCount + Items - 1) / Items, count);
        kernel.Launch(
            stream,
            Config(grid),
            new Arguments
            {
                Flush = flush,
                Units = units,
                Tokens = flush.Rows.Cast<UInt4>(),
                References = flush.Bases.Cast<UInt4>(),
                Weights = codes.FeatureWeights,
                Biases = codes.FeatureBiases,
            });
    }

    private static void Kernel<TKind>(Arguments arguments)
        where TKind : struct, IFeatureKind
    {
        var unit = arguments.Units[Grid.IdxZ];
        var firstColumn = Grid.IdxX * (TKind.Gates ? WeightRows / 2 : WeightRows);
        // The grid is as wide as the widest layer.
        if (firstColumn >= unit.Count)
            return;
        var ring = SharedMemory.GetDynamic<UInt4>();
        var loadRow = Group.IdxX / StageChunks;
        var loadChunk = Group.IdxX % StageChunks;
        var pitch = arguments.Flush.Width / 8;
        var left = LocalMemory.Allocate<int>(Items);
        for (var i = 0; i < Unroll.Full(Items); i++)
        {
            var item = Math.Min((Grid.IdxY * Items) + i, arguments.Flush.ItemCount - 1);
            left[i] = (arguments.Flush.RowOf(unit.Layer, item, loadRow) * pitch) + unit.FirstChunk;
        }

        var right = LocalMemory.Allocate<int>(WeightRows / 16);
        for (var i = 0; i < Unroll.Full(WeightRows / 16); i++)
            right[i] = unit.FirstWeight + (WeightRow(TKind.Gates, unit.Count, firstColumn, loadRow + (16 * i)) * unit.Chunks);
        var target = (loadRow * StageChunks) + (loadChunk ^ (loadRow & 7));

        var steps = (unit.Chunks + StageChunks - 1) / StageChunks;
        for (var s = 0; s < Unroll.Full(Stages - 1); s++)
        {
            if (s < steps)
                Load(arguments, ring.SubView((s * StageSize) + target), left, right, (s * StageChunks) + loadChunk, unit.Chunks);
            CpAsync.Commit();
        }

        var sums = LocalMemory.Allocate<Float4>(16);
        for (var i = 0; i < Unroll.Full(16); i++)
            sums[i] = default;
        var lane = Warp.LaneIdx;
        var warpRow = (Group.IdxX >> 6) * (LeftRows / 2);
        var warpColumn = ((Group.IdxX >> 5) & 1) * (WeightRows / 2);
        var readLeft = (warpRow * StageChunks) + SwizzledTile.LeftOperand(lane);
        var readRight = ((LeftRows + warpColumn) * StageChunks) + SwizzledTile.RightOperands(lane);
        for (var step = 0; step < steps; step++)
        {
            CpAsync.Wait(Stages - 2);
            Group.Barrier();
            var ahead = step + Stages - 1;
            if (ahead < steps)
                Load(arguments, ring.SubView((ahead % Stages * StageSize) + target), left, right, (ahead * StageChunks) + loadChunk, unit.Chunks);
            CpAsync.Commit();
            Multiply(ring.SubView(step % Stages * StageSize), readLeft, readRight, sums);
        }

        Store<TKind>(arguments, unit, sums, (Grid.IdxY * Items) + (warpRow / 32), firstColumn, warpColumn);
    }

    /// <summary>Starts this thread's copies of one stage; beyond the end of the row it writes zeros.</summary>
    private static void Load(Arguments arguments, ArrayView<UInt4> target, ArrayView<int> left, ArrayView<int> right, int chunk, int chunks)
    {
        var bytes = chunk < chunks ? 16 : 0;
        var from = Math.Min(chunk, chunks - 1);
        for (var i = 0; i < Unroll.Full(Items); i++)
        {
            CpAsync.Copy16(ref target[32 * i * StageChunks], ref arguments.Tokens[left[i] + from], bytes);
            CpAsync.Copy16(ref target[((32 * i) + 16) * StageChunks], ref arguments.References[left[i] + from], bytes);
        }

        for (var i = 0; i < Unroll.Full(WeightRows / 16); i++)
            CpAsync.Copy16(ref target[(LeftRows + (16 * i)) * StageChunks], ref arguments.Weights[right[i] + from], bytes);
    }

    private static void Store<TKind>(Arguments arguments, FeatureUnit unit, ArrayView<Float4> sums, int firstItem, int firstColumn, int warpColumn)
        where TKind : struct, IFeatureKind
    {
        var token = Warp.LaneIdx >> 2;
        var pair = 2 * (Warp.LaneIdx & 3);
        for (var i = 0; i < Unroll.Full(2); i++)
        {
            var item = firstItem + i;
            for (var j = 0; j < Unroll.Full(4); j++)
            {
                var own = sums[(8 * i) + j];
                var reference = sums[(8 * i) + 4 + j];
                if (TKind.Gates)
                {
                    // Even blocks are gates, the odd ones after them their ups.
                    if ((j & 1) == 1)
                        continue;
                    var column = firstColumn + (warpColumn / 2) + (4 * j) + pair;
                    var up = sums[(8 * i) + j + 1];
                    var referenceUp = sums[(8 * i) + 4 + j + 1];
                    if (item >= arguments.Flush.ItemCount || column >= unit.Count)
                        continue;
                    var gates = Biases(arguments, unit.FirstBias + column);
                    var ups = Biases(arguments, unit.FirstBias + unit.Count + column);
                    Write(
                        arguments, unit, item, token, column,
                        Gate(own.X, up.X, gates.X, ups.X) - Gate(reference.X, referenceUp.X, gates.X, ups.X),
                        Gate(own.Y, up.Y, gates.Y, ups.Y) - Gate(reference.Y, referenceUp.Y, gates.Y, ups.Y));
                    Write(
                        arguments, unit, item, token + 8, column,
                        Gate(own.Z, up.Z, gates.X, ups.X) - Gate(reference.Z, referenceUp.Z, gates.X, ups.X),
                        Gate(own.W, up.W, gates.Y, ups.Y) - Gate(reference.W, referenceUp.W, gates.Y, ups.Y));
                }
                else
                {
                    var column = firstColumn + warpColumn + (8 * j) + pair;
                    if (item >= arguments.Flush.ItemCount || column >= unit.Count)
                        continue;
                    var bias = Biases(arguments, unit.FirstBias + column);
                    Write(
                        arguments, unit, item, token, column,
                        Activation.Gelu(own.X + bias.X) - Activation.Gelu(reference.X + bias.X), Activation.Gelu(own.Y + bias.Y) - Activation.Gelu(reference.Y + bias.Y));
                    Write(
                        arguments, unit, item, token + 8, column,
                        Activation.Gelu(own.Z + bias.X) - Activation.Gelu(reference.Z + bias.X), Activation.Gelu(own.W + bias.Y) - Activation.Gelu(reference.W + bias.Y));
                }
            }
        }
    }

    private static Float2 Biases(Arguments arguments, int at) => arguments.Biases.Cast<Float2>()[at >> 1];

    private static void Write(Arguments arguments, FeatureUnit unit, int item, int token, int column, float first, float second)
    {
        var row = (long)arguments.Flush.RowOf(unit.Layer, item, token) * (arguments.Flush.FeatureWidth / 2);
        arguments.Flush.Features[row + ((unit.FirstFeature + column) >> 1)] = HalfRange.Pack(first, second);
    }

    private struct Arguments
    {
        public FlushView Flush;
        public ArrayView<FeatureUnit> Units;
        public ArrayView<UInt4> Tokens;
        public ArrayView<UInt4> References;
        public ArrayView<UInt4> Weights;
        public ArrayView<float> Biases;
    }
}
