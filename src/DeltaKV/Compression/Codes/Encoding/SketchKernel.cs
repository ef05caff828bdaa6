using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Makes the <see cref="Sketch"/> of every token of a flush, and keeps those of references with their squared norm: <c>q[b] = round(sum_i s(256 i + b) x[256 i + b] / step)</c>.</summary>
/// <remarks>
/// Shapes: rows <c>[layer][item][16][width]</c> fp16, sketches <c>[layer][item][16][256]</c> signed bytes, steps <c>[layer][item][16]</c> fp32, the largest sum by 127. One group of four warps per
/// (item, layer), four tokens each; a lane has eight neighbouring sums. Reads a row once: <c>2 * width</c> bytes per token, which is the limit.
/// </remarks>
internal sealed class SketchKernel(Accelerator accelerator)
{
    private const int Warps = 4;
    private const int WarpTokens = 16 / Warps;

    private readonly KernelHandle<FlushView> sketch = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, FlushView flush)
    {
        if (flush.ItemCount > 0)
            sketch.Launch(stream, new KernelConfig(new Index3D(1, flush.ItemCount, flush.Pool.Layers), new Index3D(32 * Warps, 1, 1)), flush);
    }

    private static void Kernel(FlushView flush)
    {
        var layer = Grid.IdxZ;
        var code = flush.Pool.LayerCodes[layer];
        if (code.Neighbours <= 0)
            return;
        var first = (Group.IdxX >> 5) * WarpTokens;
        var chunks = flush.Width / 8;
        var source = flush.Rows.Cast<UInt4>().SubView((long)flush.RowOf(layer, Grid.IdxY, first) * chunks);
        var sums = LocalMemory.Allocate<float>(8 * WarpTokens);
        for (var i = 0; i < Unroll.Full(8 * WarpTokens); i++)
            sums[i] = 0f;
        for (var chunk = Warp.LaneIdx; chunk < chunks; chunk += 32)
        {
            var signs = Sketch.Signs(chunk);
            for (var token = 0; token < Unroll.Full(WarpTokens); token++)
            {
                var eight = source[(token * chunks) + chunk];
                Add(eight.X, signs, sums, 8 * token);
                Add(eight.Y, signs >> 2, sums, (8 * token) + 2);
                Add(eight.Z, signs >> 4, sums, (8 * token) + 4);
                Add(eight.W, signs >> 6, sums, (8 * token) + 6);
            }
        }

        for (var token = 0; token < Unroll.Full(WarpTokens); token++)
            Store(flush, code, layer, first + token, sums, 8 * token);
    }

    private static void Add(uint pair, uint signs, ArrayView<float> sums, int at)
    {
        var signed = new Half2(pair ^ ((signs & 1) << 15) ^ ((signs & 2) << 30));
        sums[at] += signed.Low;
        sums[at + 1] += signed.High;
    }

    private static void Store(FlushView flush, LayerCode code, int layer, int token, ArrayView<float> sums, int at)
    {
        var largest = 0f;
        for (var i = 0; i < Unroll.Full(8); i++)
            largest = MathF.Max(largest, MathF.Abs(sums[at + i]));
        largest = WarpReduce.Max(largest);
        var inverse = largest > 0f ? 127f / largest : 0f;
        var words = LocalMemory.Allocate<uint>(2);
        (words[0], words[1]) = (0u, 0u);
        var squares = 0;
        for (var i = 0; i < Unroll.Full(8); i++)
        {
            var integer = (int)MathF.Round(sums[at + i] * inverse);
            words[i >> 2] |= (uint)(integer & 0xff) << (8 * (i & 3));
            squares += integer * integer;
        }

        squares = WarpReduce.Sum(squares);
        var step = largest / 127f;
        var own = new UInt2(words[0], words[1]);
        long row = flush.RowOf(layer, Grid.IdxY, token);
        flush.Sketches.Cast<UInt2>()[(row * (Sketch.Width / 8)) + Warp.LaneIdx] = own;
        if (Warp.IsFirstLane)
            flush.SketchSteps[row] = step;

        var item = flush.Items[Grid.IdxY];
        var offset = item.Position - flush.Origin + token;
        if (offset % flush.Stride != 0)
            return;
        long place = flush.Pool.PlaceOf(code, item.Sequence, offset / flush.Stride);
        flush.ReferenceSketches.Cast<UInt2>()[(place * (Sketch.Width / 8)) + Warp.LaneIdx] = own;
        if (Warp.IsFirstLane)
            flush.ReferenceScales[place] = new Float2(step, step * step * squares);
    }
}
