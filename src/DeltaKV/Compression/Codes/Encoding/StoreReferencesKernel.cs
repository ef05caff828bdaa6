using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Stores every stride-th token of a flush as a reference, rounded to its format, with the squared norm of what was stored.</summary>
/// <remarks>
/// One group per (reference of the item, item, layer), a warp per part. Integers: <c>zero = min</c>, <c>step = (max - min) / levels</c> per part, both halves.
/// Reads 2 bytes per element, writes at most as much: bound by the launch.
/// </remarks>
internal sealed class StoreReferencesKernel(Accelerator accelerator)
{
    private readonly KernelHandle<FlushView> store = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, FlushView flush)
    {
        if (flush.ItemCount == 0)
            return;
        var perItem = (15 / flush.Stride) + 1;
        store.Launch(stream, new KernelConfig(new Index3D(perItem, flush.ItemCount, flush.Pool.Layers), new Index3D(128, 1, 1)), flush);
    }

    private static void Kernel(FlushView flush)
    {
        var item = flush.Items[Grid.IdxY];
        var offset = item.Position - flush.Origin;
        var ordinal = ((offset + flush.Stride - 1) / flush.Stride) + Grid.IdxX;
        var token = (ordinal * flush.Stride) - offset;
        // The same for the whole group.
        if (token >= 16)
            return;
        var code = flush.Pool.LayerCodes[Grid.IdxZ];
        if (code.Neighbours <= 0)
            return;
        var parts = 2 * flush.Pool.KeyHeads;
        var source = (long)flush.RowOf(Grid.IdxZ, Grid.IdxY, token) * (flush.Width / 2);
        var place = flush.Pool.PlaceOf(code, item.Sequence, ordinal);
        var target = (long)place * flush.Pool.ReferenceWords;
        var norm = 0f;
        for (var part = Group.IdxX >> 5; part < parts; part += 4)
            norm += flush.Pool.ReferenceBits == 16
                ? Copy(flush, source, target, part)
                : Quantise(flush, source, target, part, parts);
        norm = GroupReduce.Sum(norm);
        if (Group.IdxX == 0)
            flush.Pool.ReferenceNorms[place] = norm;
    }

    private static float Copy(FlushView flush, long source, long target, int part)
    {
        var half = flush.HeadDim / 2;
        var norm = 0f;
        for (var i = Warp.LaneIdx; i < half; i += 32)
        {
            var value = flush.Rows[source + (part * half) + i];
            flush.Pool.References[target + (part * half) + i] = value;
            norm = Squared(value, norm);
        }

        return norm;
    }

    private static float Quantise(FlushView flush, long source, long target, int part, int parts)
    {
        var half = flush.HeadDim / 2;
        var bits = flush.Pool.ReferenceBits;
        var low = float.PositiveInfinity;
        var high = float.NegativeInfinity;
        for (var i = Warp.LaneIdx; i < half; i += 32)
        {
            var value = new Half2(flush.Rows[source + (part * half) + i]);
            low = MathF.Min(low, MathF.Min(value.Low, value.High));
            high = MathF.Max(high, MathF.Max(value.Low, value.High));
        }

        var scale = CodeScale.Pack(WarpReduce.Min(low), WarpReduce.Max(high), (1 << bits) - 1);
        if (Warp.IsFirstLane)
            flush.Pool.References[target + (parts * flush.HeadDim * bits / 32) + part] = scale;

        var perWord = 32 / bits;
        var norm = 0f;
        for (var word = Warp.LaneIdx; word < flush.HeadDim / perWord; word += 32)
        {
            var code = 0u;
            for (var pair = 0; pair < perWord / 2; pair++)
            {
                var value = new Half2(flush.Rows[source + (part * half) + (word * perWord / 2) + pair]);
                var a = CodeScale.Quantise(value.Low, scale, (1 << bits) - 1);
                var b = CodeScale.Quantise(value.High, scale, (1 << bits) - 1);
                code |= (a << (bits * pair)) | (b << ((bits * pair) + 16));
                // What a reader will see, to the bit.
                var step = Half2.BroadcastLow(scale);
                var zero = Half2.BroadcastHigh(scale);
                norm = Squared(CodeWord.Bytes(a | (b << 16), step, zero), norm);
            }

            flush.Pool.References[target + (part * flush.HeadDim / perWord) + word] = code;
        }

        return norm;
    }

    private static float Squared(uint pair, float norm)
    {
        var value = new Half2(pair);
        return FastMath.Fma(value.High, value.High, FastMath.Fma(value.Low, value.Low, norm));
    }
}
