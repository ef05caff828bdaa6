using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Gemm;

/// <summary>Matrix product for few rows: <c>y[m,n] = sum_k x[m,k] W[n,k]</c>, m from 1 to 64. The GEMV and every linear layer of decode.</summary>
/// <remarks>
/// The weight is read once and everything else is small, so the tensor core sees the roles swapped: 16 rows of W are its M, 8 tokens its N.
/// The order of k inside a dot product is free, so a lane takes 16 consecutive bytes of a row of W straight into fragment registers (its four
/// neighbours the next 48), and the same bytes of x: no shared memory, no ldmatrix. The weights of the first
/// steps are on their way before the kernel that makes x has ended. The warps of a group take turns along k
/// and add up at the end. In the gated form fragment rows 8 to 15 are rows of the up matrix, so gate and up of an element meet in one lane.
/// Moves 2 n k bytes of weight: bound by memory; floor = 2 n k / bandwidth. k a multiple of 8, n and m free.
/// </remarks>
internal static class SkinnyGemm
{
    /// <summary>16-byte pieces of a row that a warp reads at once: 64 elements.</summary>
    private const int StepChunks = 8;

    /// <summary>How many weight fragments and token fragments a warp holds.</summary>
    internal interface ITile
    {
        /// <summary>Fragments of 16 rows of W.</summary>
        static abstract int WeightFragments { get; }

        /// <summary>Fragments of 8 tokens.</summary>
        static abstract int TokenFragments { get; }

        /// <summary>Steps along k whose loads are in flight together.</summary>
        static abstract int Depth { get; }

        /// <summary>The most warps of a group.</summary>
        static abstract int MaxWarps { get; }
    }

    internal static void Kernel<TTile, TEpilogue>(GemmArguments arguments)
        where TTile : struct, ITile
        where TEpilogue : struct, IEpilogue
    {
        GridDependency.LaunchDependents();
        var lane = Warp.LaneIdx;
        var group = lane >> 2;
        var quad = lane & 3;
        var warps = Group.DimX >> 5;
        var warp = Group.IdxX >> 5;
        var chunks = arguments.Depth >> 3;
        var firstColumn = Grid.IdxX * (TEpilogue.Gates ? 8 : 16) * TTile.WeightFragments;

        var weights = LocalMemory.Allocate<long>(2 * TTile.WeightFragments);
        for (var i = 0; i < Unroll.Full(2 * TTile.WeightFragments); i++)
            weights[i] = ((long)WeightRow<TEpilogue>(arguments, firstColumn, i, group) * chunks) + quad;
        var inputs = LocalMemory.Allocate<long>(TTile.TokenFragments);
        for (var j = 0; j < Unroll.Full(TTile.TokenFragments); j++)
            inputs[j] = ((long)Math.Min((j * 8) + group, arguments.Rows - 1) * chunks) + quad;

        var sums = LocalMemory.Allocate<Float4>(TTile.WeightFragments * TTile.TokenFragments);
        for (var i = 0; i < Unroll.Full(TTile.WeightFragments * TTile.TokenFragments); i++)
            sums[i] = default;

        // The first weights are on their way before the kernel that makes x has ended.
        var stride = warps * StepChunks;
        var chunk = warp * StepChunks;
        var lastStep = ((TTile.Depth - 1) * stride) + StepChunks;
        var loaded = LocalMemory.Allocate<UInt4>(2 * 2 * TTile.WeightFragments * TTile.Depth);
        if (chunk + lastStep <= chunks)
        {
            Load<TTile>(arguments, weights, loaded, chunk, stride, TTile.Depth);
            GridDependency.Wait();
            Multiply<TTile>(arguments, loaded, inputs, sums, chunk, stride, TTile.Depth);
            for (chunk += TTile.Depth * stride; chunk + lastStep <= chunks; chunk += TTile.Depth * stride)
            {
                Load<TTile>(arguments, weights, loaded, chunk, stride, TTile.Depth);
                Multiply<TTile>(arguments, loaded, inputs, sums, chunk, stride, TTile.Depth);
            }
        }
        else
        {
            GridDependency.Wait();
        }

        for (; chunk + StepChunks <= chunks; chunk += stride)
        {
            Load<TTile>(arguments, weights, loaded, chunk, stride, 1);
            Multiply<TTile>(arguments, loaded, inputs, sums, chunk, stride, 1);
        }

        if (chunk < chunks)
            AccumulateTail<TTile>(arguments, weights, inputs, sums, chunk, chunks - quad);

        Finish<TTile, TEpilogue>(arguments, sums, warps, firstColumn);
    }

    /// <summary>The row of W that register row <paramref name="half"/> (fragment half / 2, upper or lower 8) of this lane group reads.</summary>
    private static int WeightRow<TEpilogue>(in GemmArguments arguments, int firstColumn, int half, int group)
        where TEpilogue : struct, IEpilogue
    {
        if (!TEpilogue.Gates)
            return Math.Min(firstColumn + (half * 8) + group, arguments.Columns - 1);
        var column = Math.Min(firstColumn + ((half >> 1) * 8) + group, arguments.Columns - 1);
        return (half & 1) == 0 ? column : arguments.Columns + column;
    }

    /// <summary>Asks for the weights of <paramref name="steps"/> steps of 64 k, <paramref name="stride"/> chunks apart.</summary>
    private static void Load<TTile>(
        in GemmArguments arguments, ArrayView<long> weights, ArrayView<UInt4> loaded, int chunk, int stride, int steps)
        where TTile : struct, ITile
    {
        for (var s = 0; s < Unroll.Full(steps); s++)
        {
            for (var i = 0; i < Unroll.Full(2 * TTile.WeightFragments); i++)
            {
                var row = arguments.Weight.SubView(weights[i] + (chunk + (s * stride)));
                loaded[(4 * s * TTile.WeightFragments) + i] = Cached.LoadStreaming(ref row[0]);
                loaded[(((4 * s) + 2) * TTile.WeightFragments) + i] = Cached.LoadStreaming(ref row[4]);
            }
        }
    }

    /// <summary>Adds those steps. What x is made of may be written by a kernel that ran when this one began: no read-only loads.</summary>
    private static void Multiply<TTile>(
        in GemmArguments arguments, ArrayView<UInt4> loaded, ArrayView<long> inputs, ArrayView<Float4> sums, int chunk, int stride, int steps)
        where TTile : struct, ITile
    {
        for (var s = 0; s < Unroll.Full(steps); s++)
        {
            for (var j = 0; j < Unroll.Full(TTile.TokenFragments); j++)
            {
                var tokens = arguments.Input.SubView(inputs[j] + (chunk + (s * stride)));
                var low = tokens[0];
                var high = tokens[4];
                for (var i = 0; i < Unroll.Full(TTile.WeightFragments); i++)
                {
                    var at = (i * TTile.TokenFragments) + j;
                    var first = (4 * s * TTile.WeightFragments) + (2 * i);
                    var second = first + (2 * TTile.WeightFragments);
                    sums[at] = Multiply(loaded[first], loaded[first + 1], low, sums[at]);
                    sums[at] = Multiply(loaded[second], loaded[second + 1], high, sums[at]);
                }
            }
        }
    }

    /// <summary>The last step, when fewer than 64 k are left: what lies beyond <paramref name="end"/> counts as zero.</summary>
    private static void AccumulateTail<TTile>(
        in GemmArguments arguments, ArrayView<long> weights, ArrayView<long> inputs, ArrayView<Float4> sums, int chunk, int end)
        where TTile : struct, ITile
    {
        for (var part = 0; part < Unroll.Full(2); part++)
        {
            var at = chunk + (part * 4);
            var inside = at < end;
            for (var j = 0; j < Unroll.Full(TTile.TokenFragments); j++)
            {
                UInt4 token = default;
                if (inside)
                    token = arguments.Input[inputs[j] + at];
                for (var i = 0; i < Unroll.Full(TTile.WeightFragments); i++)
                {
                    UInt4 upper = default, lower = default;
                    if (inside)
                    {
                        upper = arguments.Weight[weights[2 * i] + at];
                        lower = arguments.Weight[weights[(2 * i) + 1] + at];
                    }

                    sums[(i * TTile.TokenFragments) + j] = Multiply(upper, lower, token, sums[(i * TTile.TokenFragments) + j]);
                }
            }
        }
    }

    /// <summary>32 k of 16 rows of W by 8 tokens: two products, the first on the first 8 bytes of every lane.</summary>
    private static Float4 Multiply(UInt4 upper, UInt4 lower, UInt4 tokens, Float4 sum)
    {
        sum = Mma.BFloat16(new UInt4(upper.X, lower.X, upper.Y, lower.Y), new UInt2(tokens.X, tokens.Y), sum);
        return Mma.BFloat16(new UInt4(upper.Z, lower.Z, upper.W, lower.W), new UInt2(tokens.Z, tokens.W), sum);
    }

    /// <summary>Adds the warps' sums through shared memory and writes them, one fragment register set per thread.</summary>
    private static void Finish<TTile, TEpilogue>(in GemmArguments arguments, ArrayView<Float4> sums, int warps, int firstColumn)
        where TTile : struct, ITile
        where TEpilogue : struct, IEpilogue
    {
        var fragments = TTile.WeightFragments * TTile.TokenFragments;
        var partial = SharedMemory.Allocate<Float4>(TTile.MaxWarps * TTile.WeightFragments * TTile.TokenFragments * 32);
        for (var f = 0; f < Unroll.Full(TTile.WeightFragments * TTile.TokenFragments); f++)
            partial[((((Group.IdxX >> 5) * fragments) + f) * 32) + Warp.LaneIdx] = sums[f];
        Group.Barrier();
        for (var slot = Group.IdxX; slot < fragments * 32; slot += Group.DimX)
        {
            var sum = partial[slot];
            for (var w = 1; w < warps; w++)
            {
                var other = partial[(w * fragments * 32) + slot];
                sum = new Float4(sum.X + other.X, sum.Y + other.Y, sum.Z + other.Z, sum.W + other.W);
            }

            Store<TTile, TEpilogue>(arguments, slot >> 5, slot & 31, sum, firstColumn);
        }
    }

    private static void Store<TTile, TEpilogue>(in GemmArguments arguments, int fragment, int lane, Float4 sum, int firstColumn)
        where TTile : struct, ITile
        where TEpilogue : struct, IEpilogue
    {
        var token = ((fragment % TTile.TokenFragments) * 8) + (2 * (lane & 3));
        var weightFragment = fragment / TTile.TokenFragments;
        if (TEpilogue.Gates)
        {
            var column = firstColumn + (weightFragment * 8) + (lane >> 2);
            StoreInside<TEpilogue>(arguments, token, column, Epilogue.SwiGlu(sum.X, sum.Z));
            StoreInside<TEpilogue>(arguments, token + 1, column, Epilogue.SwiGlu(sum.Y, sum.W));
        }
        else
        {
            var column = firstColumn + (weightFragment * 16) + (lane >> 2);
            StoreInside<TEpilogue>(arguments, token, column, sum.X);
            StoreInside<TEpilogue>(arguments, token + 1, column, sum.Y);
            StoreInside<TEpilogue>(arguments, token, column + 8, sum.Z);
            StoreInside<TEpilogue>(arguments, token + 1, column + 8, sum.W);
        }
    }

    private static void StoreInside<TEpilogue>(in GemmArguments arguments, int row, int column, float sum)
        where TEpilogue : struct, IEpilogue
    {
        if (row < arguments.Rows && column < arguments.Columns)
            Epilogue.Store<TEpilogue>(arguments, row, column, sum);
    }
}
