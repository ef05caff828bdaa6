using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Compresses the tokens of a flush: <c>code = quantise(down (kv - mean - mean_n reference_n))</c>, packed with its scales and reference ids.</summary>
/// <remarks>
/// Shapes: rows <c>[layer][item][16][width]</c> fp16; down <c>[dimensions, width]</c> fp16 in fragment order; records as in <see cref="RecordLayout"/>. One group of four
/// warps per (item, layer). First the residual of 16 tokens is formed in shared memory (fp32, rounded to fp16), or the difference of features loaded; then a warp takes chunk after chunk: m16n8k16 over the
/// kv elements of its group, quantisation in registers, one 4-byte word per lane and row. The order of columns makes a lane's sums a word.
/// Steps per token take a first pass for the range. Operations: <c>2 * inputs * dimensions</c> per token; moves the down matrix once per 16 tokens from L2.
/// </remarks>
internal sealed class EncodeKernel(Accelerator accelerator)
{
    private const int Warps = 4;

    private readonly KernelHandle<FlushView> encode = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, FlushView flush)
    {
        if (flush.ItemCount == 0)
            return;
        var shared = SharedMemoryConfig.RequestDynamic<UInt4>(16 * (flush.InputChunks + 1));
        encode.Launch(stream, new KernelConfig(new Index3D(1, flush.ItemCount, flush.Pool.Layers), new Index3D(32 * Warps, 1, 1), shared), flush);
    }

    private static void Kernel(FlushView flush)
    {
        var layer = Grid.IdxZ;
        var code = flush.Pool.LayerCodes[layer];
        // Nothing is written of a layer that is recomputed, or whose heads keep no history.
        if (code.UnitCount == 0 && code.Neighbours <= 0)
            return;
        var item = flush.Items[Grid.IdxY];
        var block = flush.Pool.BlockTables[(item.Sequence * flush.Pool.BlockStride) + (item.Position >> 4)];
        var records = ((long)block * flush.Pool.BlockWords) + code.FirstWord;
        var residual = SharedMemory.GetDynamic<UInt4>();
        var ids = SharedMemory.Allocate<int>(64);

        // Layers with features have their references already.
        if (code.Neighbours > 0 && code.FeatureCount == 0)
        {
            if (Group.IdxX < 16)
                ReferenceChoice.Make(flush, code, layer, item, records, ids);
            Group.Barrier();
        }

        if (code.FeatureCount == 0)
            Residual.Form(flush, code, layer, item, ids, residual);
        else
            Residual.Load(flush, code, layer, residual);
        Group.Barrier();

        var ranges = SharedMemory.Allocate<Float2>(16 * Warps);
        var upperScale = 0u;
        var lowerScale = 0u;
        if (code.ScaleWord >= 0 && code.ScaleStride == 0)
        {
            MeasureRows(flush, code, residual, ranges);
            Group.Barrier();
            var levels = (1 << flush.Units[code.FirstUnit + code.UnitCount - 1].Width) - 1;
            upperScale = RowScale(ranges, Warp.LaneIdx >> 2, levels);
            lowerScale = RowScale(ranges, (Warp.LaneIdx >> 2) + 8, levels);
        }

        for (var unit = Group.IdxX >> 5; unit < code.UnitCount; unit += Warps)
        {
            var work = flush.Units[code.FirstUnit + unit];
            if (work.Width == 16)
                ChunkEncoder.Encode<Halves>(flush, code, work, residual, records, upperScale, lowerScale);
            else if (work.Width == 8)
                ChunkEncoder.Encode<Bytes>(flush, code, work, residual, records, upperScale, lowerScale);
            else if (work.Width == 4)
                ChunkEncoder.Encode<Nibbles>(flush, code, work, residual, records, upperScale, lowerScale);
            else if (work.Width == 3)
                ChunkEncoder.Encode<Octals>(flush, code, work, residual, records, upperScale, lowerScale);
            else
                ChunkEncoder.Encode<Crumbs>(flush, code, work, residual, records, upperScale, lowerScale);
        }
    }

    private static void MeasureRows(FlushView flush, LayerCode code, ArrayView<UInt4> residual, ArrayView<Float2> ranges)
    {
        var upper = new Float2(float.PositiveInfinity, float.NegativeInfinity);
        var lower = upper;
        for (var unit = Group.IdxX >> 5; unit < code.UnitCount; unit += Warps)
        {
            var work = flush.Units[code.FirstUnit + unit];
            if (work.Width == 8)
                ChunkEncoder.Measure<Bytes>(flush, work, residual, ref upper, ref lower);
            else if (work.Width == 4)
                ChunkEncoder.Measure<Nibbles>(flush, work, residual, ref upper, ref lower);
            else if (work.Width == 3)
                ChunkEncoder.Measure<Octals>(flush, work, residual, ref upper, ref lower);
            else if (work.Width == 2)
                ChunkEncoder.Measure<Crumbs>(flush, work, residual, ref upper, ref lower);
        }

        var row = (Group.IdxX >> 5) * 16;
        if ((Warp.LaneIdx & 3) == 0)
        {
            ranges[row + (Warp.LaneIdx >> 2)] = upper;
            ranges[row + (Warp.LaneIdx >> 2) + 8] = lower;
        }
    }

    private static uint RowScale(ArrayView<Float2> ranges, int row, int levels)
    {
        var low = float.PositiveInfinity;
        var high = float.NegativeInfinity;
        for (var warp = 0; warp < Unroll.Full(Warps); warp++)
        {
            low = MathF.Min(low, ranges[(16 * warp) + row].X);
            high = MathF.Max(high, ranges[(16 * warp) + row].Y);
        }

        return CodeScale.Pack(low, high, levels);
    }
}
