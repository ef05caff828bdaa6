using DeltaKV.Gpu;
using DeltaKV.Kernels;
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
    /// <summary>16-token groups of a tile.</summary>
    private const int Items = LeftRows / 32;

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
        var firstColumn = Grid.IdxX * Columns(TKind.Gates);
        // The grid is as wide as the widest layer.
        if (firstColumn >= unit.Count)
            return;
        // Every second row is the reference of the one before, at the same place.
        var left = LocalMemory.Allocate<long>(LeftRows / RowStep);
        for (var i = 0; i < Unroll.Full(LeftRows / RowStep); i++)
        {
            var item = Math.Min((Grid.IdxY * Items) + (i >> 1), arguments.Flush.ItemCount - 1);
            left[i] = (arguments.Flush.RowOf(unit.Layer, item, FirstRow) * (arguments.Flush.Width / 8)) + unit.FirstChunk;
        }

        var sums = Products<TKind, Arguments>(arguments, left, arguments.Weights.SubView(unit.FirstWeight), unit.Chunks, unit.Count, firstColumn);
        Store<TKind>(arguments, unit, sums, (Grid.IdxY * Items) + (WarpRow / 32), firstColumn);
    }

    private static void Store<TKind>(Arguments arguments, FeatureUnit unit, ArrayView<Float4> sums, int firstItem, int firstColumn)
        where TKind : struct, IFeatureKind
    {
        var token = Warp.LaneIdx >> 2;
        for (var i = 0; i < Unroll.Full(2); i++)
        {
            var item = firstItem + i;
            for (var j = 0; j < Unroll.Full(4); j++)
            {
                // Even fragments are gates, the odd ones after them their ups.
                if (TKind.Gates && (j & 1) == 1)
                    continue;
                var column = Column(TKind.Gates, firstColumn, j);
                if (item >= arguments.Flush.ItemCount || column >= unit.Count)
                    continue;
                var biases = Biases(arguments, unit.FirstBias + column);
                var upBiases = TKind.Gates ? Biases(arguments, unit.FirstBias + unit.Count + column) : default;
                var own = Features<TKind>(sums, (8 * i) + j, biases, upBiases);
                var reference = Features<TKind>(sums, (8 * i) + 4 + j, biases, upBiases);
                Write(arguments, unit, item, token, column, own.X - reference.X, own.Y - reference.Y);
                Write(arguments, unit, item, token + 8, column, own.Z - reference.Z, own.W - reference.W);
            }
        }
    }

    private static Float2 Biases(Arguments arguments, int at) => arguments.Biases.Cast<Float2>()[at >> 1];

    private static void Write(Arguments arguments, FeatureUnit unit, int item, int token, int column, float first, float second)
    {
        var row = (long)arguments.Flush.RowOf(unit.Layer, item, token) * (arguments.Flush.FeatureWidth / 2);
        arguments.Flush.Features[row + ((unit.FirstFeature + column) >> 1)] = HalfRange.Pack(first, second);
    }

    private struct Arguments : ILeftRows<Arguments>
    {
        public FlushView Flush;
        public ArrayView<FeatureUnit> Units;
        public ArrayView<UInt4> Tokens;
        public ArrayView<UInt4> References;
        public ArrayView<UInt4> Weights;
        public ArrayView<float> Biases;

        public static ref UInt4 Piece(in Arguments rows, int row, long at) => ref ((row & 1) == 0 ? rows.Tokens : rows.References)[at];
    }
}
