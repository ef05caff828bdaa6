using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Makes the <see cref="Sketch"/> of every token of a flush, and keeps those of references with the squared norm.</summary>
/// <remarks>
/// Shapes: rows <c>[layer][item][16][width]</c> fp16, sketches <c>[layer][item][16][128]</c> fp16. One group of four warps per (item, layer), each a quarter of the width; a lane's 16 bytes of a row
/// are the left operands of two m16n8k16, for the order of elements in a random product is free. Reads a row once: <c>2 * width</c> bytes and <c>256 * width</c> operations per token.
/// </remarks>
internal sealed class SketchKernel(Accelerator accelerator)
{
    private const int Warps = 4;

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
        var warp = Group.IdxX >> 5;
        var lane = Warp.LaneIdx;
        var chunks = flush.Width / 8;
        var source = flush.Rows.Cast<UInt4>().SubView((long)flush.RowOf(layer, Grid.IdxY, lane >> 2) * chunks);
        var sums = LocalMemory.Allocate<Float4>(16);
        for (var n = 0; n < Unroll.Full(16); n++)
            sums[n] = new Float4(0f, 0f, 0f, 0f);
        for (var step = warp; step < chunks / 4; step += Warps)
        {
            var upper = source[(4 * step) + (lane & 3)];
            var lower = source[(8 * chunks) + (4 * step) + (lane & 3)];
            Multiply(new UInt4(upper.X, lower.X, upper.Y, lower.Y), 2 * step, lane, sums);
            Multiply(new UInt4(upper.Z, lower.Z, upper.W, lower.W), (2 * step) + 1, lane, sums);
        }

        // [warp][16][128 + 4] floats.
        var partial = SharedMemory.Allocate<Float2>(Warps * 16 * ((Sketch.Width / 2) + 2));
        var own = ((warp * 16) + (lane >> 2)) * ((Sketch.Width / 2) + 2);
        for (var n = 0; n < Unroll.Full(16); n++)
        {
            partial[own + (4 * n) + (lane & 3)] = new Float2(sums[n].X, sums[n].Y);
            partial[own + (8 * ((Sketch.Width / 2) + 2)) + (4 * n) + (lane & 3)] = new Float2(sums[n].Z, sums[n].W);
        }

        Group.Barrier();
        Store(flush, code, layer, partial);
    }

    private static void Multiply(UInt4 rows, int step, int lane, ArrayView<Float4> sums)
    {
        for (var half = 0; half < Unroll.Full(2); half++)
        {
            var signs = Sketch.Signs(step, lane, half);
            for (var n = 0; n < Unroll.Full(8); n++)
                sums[(8 * half) + n] = Mma.Half(rows, Sketch.Fragment(signs, n), sums[(8 * half) + n]);
        }
    }

    /// <summary>Adds the warps' shares; eight threads a token, sixteen elements each.</summary>
    private static void Store(FlushView flush, LayerCode code, int layer, ArrayView<Float2> partial)
    {
        var token = Group.IdxX >> 3;
        var piece = Group.IdxX & 7;
        var words = LocalMemory.Allocate<uint>(8);
        var norm = 0f;
        for (var i = 0; i < Unroll.Full(8); i++)
        {
            var sum = new Float2(0f, 0f);
            for (var warp = 0; warp < Unroll.Full(Warps); warp++)
            {
                var share = partial[(((warp * 16) + token) * ((Sketch.Width / 2) + 2)) + (8 * piece) + i];
                sum = new Float2(sum.X + share.X, sum.Y + share.Y);
            }

            var pair = Half2.FromSingles(sum.X, sum.Y);
            words[i] = pair.Bits;
            norm = FastMath.Fma(pair.High, pair.High, FastMath.Fma(pair.Low, pair.Low, norm));
        }

        // The eight threads of a token are neighbours in a warp.
        for (var mask = 1; mask < 8; mask <<= 1)
            norm += Warp.ShuffleXor(norm, mask);
        var low = new UInt4(words[0], words[1], words[2], words[3]);
        var high = new UInt4(words[4], words[5], words[6], words[7]);
        var target = ((long)flush.RowOf(layer, Grid.IdxY, token) * (Sketch.Width / 8)) + (2 * piece);
        flush.Sketches[target] = low;
        flush.Sketches[target + 1] = high;

        var item = flush.Items[Grid.IdxY];
        var offset = item.Position - flush.Origin + token;
        if (offset % flush.Stride != 0)
            return;
        long row = flush.Pool.PlaceOf(code, item.Sequence, offset / flush.Stride);
        flush.ReferenceSketches[(row * (Sketch.Width / 8)) + (2 * piece)] = low;
        flush.ReferenceSketches[(row * (Sketch.Width / 8)) + (2 * piece) + 1] = high;
        if (piece == 0)
            flush.SketchNorms[row] = norm;
    }
}
