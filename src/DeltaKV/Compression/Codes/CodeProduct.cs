using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using static DeltaKV.Compression.Codes.CodeFragments;

namespace DeltaKV.Compression.Codes;

/// <summary>Adds <c>codes x up</c> of two rows of tokens into a pass's fragments: chunk after chunk, the widest first.</summary>
internal static class CodeProduct
{
    internal static void Add<THead>(
        CodePoolView pool, LayerCode code, PartCode part, long first, long second, int up, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        var word = part.FirstWord + (Warp.LaneIdx & 3);
        for (var pair = 0; pair < part.WidePairs; pair++)
        {
            var a = new UInt4(
                pool.Records[first + word], pool.Records[second + word], pool.Records[first + word + 4], pool.Records[second + word + 4]);
            Step<THead>(pool, a, up, sums);
            word += 8;
            up += 32 * PairsPerPass(THead.Dim);
        }

        var scale = code.ScaleWord + (part.FirstScale * code.ScaleStride);
        for (var chunk = 0; chunk < part.ByteChunks; chunk++)
        {
            var x = new RowScales(pool, code, first, second, scale, 128f);
            var a = pool.Records[first + word];
            var b = pool.Records[second + word];
            Step<THead>(
                pool,
                new UInt4(
                    CodeWord.Bytes(a, x.FirstStep, x.FirstZero), CodeWord.Bytes(b, x.SecondStep, x.SecondZero),
                    CodeWord.Bytes(a >> 8, x.FirstStep, x.FirstZero), CodeWord.Bytes(b >> 8, x.SecondStep, x.SecondZero)),
                up,
                sums);
            word += 4;
            scale += code.ScaleStride;
            up += 32 * PairsPerPass(THead.Dim);
        }

        for (var chunk = 0; chunk < part.NibbleChunks; chunk++)
        {
            var x = new RowScales(pool, code, first, second, scale, 8f);
            var a = pool.Records[first + word];
            var b = pool.Records[second + word];
            for (var step = 0; step < Unroll.Full(2); step++)
            {
                Step<THead>(
                    pool,
                    new UInt4(
                        CodeWord.Nibbles(a >> (8 * step), x.FirstStep, x.FirstZero), CodeWord.Nibbles(b >> (8 * step), x.SecondStep, x.SecondZero),
                        CodeWord.Nibbles(a >> ((8 * step) + 4), x.FirstStep, x.FirstZero), CodeWord.Nibbles(b >> ((8 * step) + 4), x.SecondStep, x.SecondZero)),
                    up,
                    sums);
                up += 32 * PairsPerPass(THead.Dim);
            }

            word += 4;
            scale += code.ScaleStride;
        }

        for (var chunk = 0; chunk < part.OctalChunks; chunk++)
        {
            var x = new RowScales(pool, code, first, second, scale, 4f);
            var a = pool.Records[first + word];
            var b = pool.Records[second + word];
            var tail = part.FirstTail + (2 * chunk) + ((Warp.LaneIdx & 3) >> 1);
            for (var half = 0; half < 2; half++)
            {
                for (var step = 0; step < Unroll.Full(2); step++)
                {
                    Step<THead>(
                        pool,
                        new UInt4(
                            CodeWord.Octals(a >> (6 * step), x.FirstStep, x.FirstZero), CodeWord.Octals(b >> (6 * step), x.SecondStep, x.SecondZero),
                            CodeWord.Octals(a >> ((6 * step) + 3), x.FirstStep, x.FirstZero), CodeWord.Octals(b >> ((6 * step) + 3), x.SecondStep, x.SecondZero)),
                        up,
                        sums);
                    up += 32 * PairsPerPass(THead.Dim);
                }

                a = CodeWord.UpperOctals(a, pool.Records[first + tail], Warp.LaneIdx);
                b = CodeWord.UpperOctals(b, pool.Records[second + tail], Warp.LaneIdx);
            }

            word += 4;
            scale += code.ScaleStride;
        }

        for (var chunk = 0; chunk < part.CrumbChunks; chunk++)
        {
            var x = new RowScales(pool, code, first, second, scale, 1.5f);
            var a = pool.Records[first + word];
            var b = pool.Records[second + word];
            for (var step = 0; step < 4; step++)
            {
                Step<THead>(
                    pool,
                    new UInt4(
                        CodeWord.Crumbs(a, x.FirstStep, x.FirstZero), CodeWord.Crumbs(b, x.SecondStep, x.SecondZero),
                        CodeWord.Crumbs(a >> 2, x.FirstStep, x.FirstZero), CodeWord.Crumbs(b >> 2, x.SecondStep, x.SecondZero)),
                    up,
                    sums);
                up += 32 * PairsPerPass(THead.Dim);
                a >>= 4;
                b >>= 4;
            }

            word += 4;
            scale += code.ScaleStride;
        }
    }

    private static void Step<THead>(CodePoolView pool, UInt4 a, int up, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        for (var j = 0; j < Unroll.Full(PairsPerPass(THead.Dim)); j++)
        {
            var b = Cached.LoadReadOnly(ref pool.Up[up + (32 * j)]);
            sums[2 * j] = Mma.Half(a, new UInt2(b.X, b.Y), sums[2 * j]);
            sums[(2 * j) + 1] = Mma.Half(a, new UInt2(b.Z, b.W), sums[(2 * j) + 1]);
        }
    }

    /// <summary>Step and zero of a chunk for the two rows of a lane.</summary>
    private readonly struct RowScales
    {
        public readonly Half2 FirstStep;
        public readonly Half2 FirstZero;
        public readonly Half2 SecondStep;
        public readonly Half2 SecondZero;

        internal RowScales(CodePoolView pool, LayerCode code, long first, long second, int scaleWord, float offset)
        {
            // Without stored scales the step is 1 and integers are offset by half their range.
            var one = Half2.FromSingles(1f, -offset).Bits;
            var a = one;
            var b = one;
            if (code.ScaleWord >= 0)
            {
                a = pool.Records[first + scaleWord];
                b = pool.Records[second + scaleWord];
            }

            FirstStep = Half2.BroadcastLow(a);
            FirstZero = Half2.BroadcastHigh(a);
            SecondStep = Half2.BroadcastLow(b);
            SecondZero = Half2.BroadcastHigh(b);
        }
    }
}
