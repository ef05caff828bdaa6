using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>A warp's work on one chunk of 16 tokens: product, range, integers, words.</summary>
internal static class ChunkEncoder
{
    /// <summary>Encodes and stores a chunk. The scales are used where the layer has one per token.</summary>
    internal static void Encode<TWidth>(
        FlushView flush, LayerCode code, EncodeUnit work, ArrayView<UInt4> residual, long records, uint upperScale, uint lowerScale)
        where TWidth : struct, IChunkWidth
    {
        var sums = LocalMemory.Allocate<Float4>(TWidth.Blocks);
        Multiply<TWidth>(flush, work, residual, sums);
        var upper = records + ((Warp.LaneIdx >> 2) * code.RecordWords);
        var lower = upper + (8 * code.RecordWords);
        var word = work.FirstWord + (Warp.LaneIdx & 3);
        if (TWidth.Bits == 16)
        {
            for (var n = 0; n < Unroll.Full(TWidth.Blocks); n++)
            {
                flush.Pool.Records[upper + word + (4 * n)] = Half2.FromSingles(sums[n].X, sums[n].Y).Bits;
                flush.Pool.Records[lower + word + (4 * n)] = Half2.FromSingles(sums[n].Z, sums[n].W).Bits;
            }

            return;
        }

        if (code.ScaleWord < 0)
        {
            // Steps are folded into the matrix; values of two bits are -1.5, -0.5, 0.5, 1.5.
            var offset = TWidth.Bits == 2 ? 1.5f : 1 << (TWidth.Bits - 1);
            upperScale = Half2.FromSingles(1f, -offset).Bits;
            lowerScale = upperScale;
        }
        else if (code.ScaleStride != 0)
        {
            var upperRange = new Float2(float.PositiveInfinity, float.NegativeInfinity);
            var lowerRange = upperRange;
            Widen<TWidth>(sums, ref upperRange, ref lowerRange);
            upperScale = CodeScale.Pack(upperRange.X, upperRange.Y, (1 << TWidth.Bits) - 1);
            lowerScale = CodeScale.Pack(lowerRange.X, lowerRange.Y, (1 << TWidth.Bits) - 1);
        }

        if (code.ScaleWord >= 0 && (Warp.LaneIdx & 3) == 0)
        {
            flush.Pool.Records[upper + code.ScaleWord + work.Scale] = upperScale;
            flush.Pool.Records[lower + code.ScaleWord + work.Scale] = lowerScale;
        }

        if (TWidth.Bits == 3)
        {
            var tail = work.TailWord + ((Warp.LaneIdx & 3) >> 1);
            StoreOctals(
                flush, upper + word, upper + tail, Pairs<TWidth>(sums, 0, false, upperScale), Pairs<TWidth>(sums, 4, false, upperScale));
            StoreOctals(
                flush, lower + word, lower + tail, Pairs<TWidth>(sums, 0, true, lowerScale), Pairs<TWidth>(sums, 4, true, lowerScale));
            return;
        }

        var first = 0u;
        var second = 0u;
        for (var n = 0; n < Unroll.Full(TWidth.Blocks); n++)
        {
            first |= Pair<TWidth>(sums[n].X, sums[n].Y, upperScale) << (TWidth.Bits * n);
            second |= Pair<TWidth>(sums[n].Z, sums[n].W, lowerScale) << (TWidth.Bits * n);
        }

        flush.Pool.Records[upper + word] = first;
        flush.Pool.Records[lower + word] = second;
    }

    /// <summary>Widens the (smallest, largest) of the lane's two rows by a chunk's values.</summary>
    internal static void Measure<TWidth>(FlushView flush, EncodeUnit work, ArrayView<UInt4> residual, ref Float2 upper, ref Float2 lower)
        where TWidth : struct, IChunkWidth
    {
        var sums = LocalMemory.Allocate<Float4>(TWidth.Blocks);
        Multiply<TWidth>(flush, work, residual, sums);
        Widen<TWidth>(sums, ref upper, ref lower);
    }

    private static void Multiply<TWidth>(FlushView flush, EncodeUnit work, ArrayView<UInt4> residual, ArrayView<Float4> sums)
        where TWidth : struct, IChunkWidth
    {
        for (var n = 0; n < Unroll.Full(TWidth.Blocks); n++)
            sums[n] = new Float4(0f, 0f, 0f, 0f);
        // ldmatrix: tokens 0..7 and 8..15 of elements 0..7, then of 8..15.
        var row = ((Warp.LaneIdx & 15) * (flush.InputChunks + 1)) + (Warp.LaneIdx >> 4) + (2 * work.FirstStep);
        var down = work.FirstDown + Warp.LaneIdx;
        for (var step = 0; step < work.Steps; step++)
        {
            var a = LdMatrix.X4(ref residual[row + (2 * step)]);
            for (var n = 0; n < Unroll.Full(TWidth.Blocks / 2); n++)
            {
                var b = Cached.LoadReadOnly(ref flush.Down[down]);
                sums[2 * n] = Mma.Half(a, new UInt2(b.X, b.Y), sums[2 * n]);
                sums[(2 * n) + 1] = Mma.Half(a, new UInt2(b.Z, b.W), sums[(2 * n) + 1]);
                down += 32;
            }
        }
    }

    private static void Widen<TWidth>(ArrayView<Float4> sums, ref Float2 upper, ref Float2 lower)
        where TWidth : struct, IChunkWidth
    {
        for (var n = 0; n < Unroll.Full(TWidth.Blocks); n++)
        {
            upper = new Float2(MathF.Min(upper.X, MathF.Min(sums[n].X, sums[n].Y)), MathF.Max(upper.Y, MathF.Max(sums[n].X, sums[n].Y)));
            lower = new Float2(MathF.Min(lower.X, MathF.Min(sums[n].Z, sums[n].W)), MathF.Max(lower.Y, MathF.Max(sums[n].Z, sums[n].W)));
        }

        // The four lanes that share the rows.
        for (var mask = 1; mask <= 2; mask <<= 1)
        {
            upper = new Float2(MathF.Min(upper.X, Warp.ShuffleXor(upper.X, mask)), MathF.Max(upper.Y, Warp.ShuffleXor(upper.Y, mask)));
            lower = new Float2(MathF.Min(lower.X, Warp.ShuffleXor(lower.X, mask)), MathF.Max(lower.Y, Warp.ShuffleXor(lower.Y, mask)));
        }
    }

    /// <summary>Four pairs of integers from a block on, of the lane's upper or lower row.</summary>
    private static uint Pairs<TWidth>(ArrayView<Float4> sums, int firstBlock, bool isLower, uint scale)
        where TWidth : struct, IChunkWidth
    {
        var word = 0u;
        for (var n = 0; n < Unroll.Full(4); n++)
        {
            var sum = sums[firstBlock + n];
            word |= Pair<TWidth>(isLower ? sum.Z : sum.X, isLower ? sum.W : sum.Y, scale) << (TWidth.Bits * n);
        }

        return word;
    }

    /// <summary>Stores eight pairs of 3 bits: 24 bits of each half, the lower 16 in the lane's word, the upper 8 in a tail's word that it shares with its neighbour.</summary>
    private static void StoreOctals(FlushView flush, long word, long tail, uint lowerPairs, uint upperPairs)
    {
        flush.Pool.Records[word] = lowerPairs | ((upperPairs & 0x000f000f) << 12);
        var own = Gpu.Bytes.Permute(upperPairs >> 4, 0, 0x4420);
        var other = Warp.ShuffleXor(own, 1);
        if ((Warp.LaneIdx & 1) == 0)
            flush.Pool.Records[tail] = own | (other << 16);
    }

    /// <summary>Two integers, 16 bits apart.</summary>
    private static uint Pair<TWidth>(float low, float high, uint scale)
        where TWidth : struct, IChunkWidth
    {
        var levels = (1 << TWidth.Bits) - 1;
        return CodeScale.Quantise(low, scale, levels) | (CodeScale.Quantise(high, scale, levels) << 16);
    }
}
