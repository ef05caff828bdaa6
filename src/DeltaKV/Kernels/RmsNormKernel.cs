using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>Root-mean-square norm: <c>y[t,i] = x[t,i] * w[i] / sqrt(mean_i x[t,i]^2 + eps)</c>, optionally after <c>x += delta</c>.</summary>
/// <remarks>
/// Shapes: x, delta, y <c>[tokens, width]</c> bf16; w <c>[width]</c> bf16; width a multiple of 8. One group per token; a thread keeps its
/// 16-byte pieces of the row in registers between the sum and the scaling, so x is read once. Sums in fp32, the result rounded once.
/// Moves 4 bytes per element (8 with the addition) for 3 operations: bound by memory, at decode by the launch.
/// Source: Zhang and Sennrich, Root mean square layer normalization, 2019.
/// </remarks>
internal sealed class RmsNormKernel(Accelerator accelerator)
{
    private const int MaxGroupSize = 512;

    private readonly KernelHandle<Arguments> norm1 = new(accelerator, Kernel<One, Keep>);
    private readonly KernelHandle<Arguments> norm4 = new(accelerator, Kernel<Four, Keep>);
    private readonly KernelHandle<Arguments> addNorm1 = new(accelerator, Kernel<One, Add>);
    private readonly KernelHandle<Arguments> addNorm4 = new(accelerator, Kernel<Four, Add>);

    /// <summary>How many elements of a row one thread may hold.</summary>
    private interface IPieces
    {
        static abstract int Count { get; }
    }

    /// <summary>Whether a second row is added first.</summary>
    private interface IAddition
    {
        static abstract bool Adds { get; }
    }

    /// <summary>The widest row.</summary>
    internal static int MaxWidth => MaxGroupSize * 4 * 8;

    /// <summary>Normalises every row of <paramref name="x"/> into <paramref name="y"/>.</summary>
    internal void Launch(
        AcceleratorStream stream,
        ArrayView<BFloat16> x,
        ArrayView<BFloat16> weight,
        ArrayView<BFloat16> y,
        int tokens,
        int width,
        float epsilon) => Launch(stream, norm1, norm4, x, default, weight, y, tokens, width, epsilon);

    /// <summary>Adds <paramref name="delta"/> to <paramref name="x"/> in place, then normalises it into <paramref name="y"/>.</summary>
    internal void LaunchAdd(
        AcceleratorStream stream,
        ArrayView<BFloat16> x,
        ArrayView<BFloat16> delta,
        ArrayView<BFloat16> weight,
        ArrayView<BFloat16> y,
        int tokens,
        int width,
        float epsilon) => Launch(stream, addNorm1, addNorm4, x, delta, weight, y, tokens, width, epsilon);

    private static void Launch(
        AcceleratorStream stream,
        KernelHandle<Arguments> one,
        KernelHandle<Arguments> four,
        ArrayView<BFloat16> x,
        ArrayView<BFloat16> delta,
        ArrayView<BFloat16> weight,
        ArrayView<BFloat16> y,
        int tokens,
        int width,
        float epsilon)
    {
        if (width % 8 != 0 || width > MaxWidth)
            throw new ArgumentOutOfRangeException(nameof(width), width, $"RMSNorm rows have a multiple of 8 and at most {MaxWidth} elements.");
        if (tokens == 0)
            return;
        var chunks = width / 8;
        var arguments = new Arguments(
            x.Cast<BFloat16x8>(), delta.Cast<BFloat16x8>(), weight.Cast<BFloat16x8>(), y.Cast<BFloat16x8>(), chunks, 1f / width, epsilon);
        if (chunks <= MaxGroupSize)
            one.Launch(stream, new KernelConfig(tokens, (chunks + 31) / 32 * 32), arguments);
        else
            four.Launch(stream, new KernelConfig(tokens, (((chunks + 3) / 4) + 31) / 32 * 32), arguments);
    }

    private static void Kernel<TPieces, TAddition>(Arguments arguments)
        where TPieces : struct, IPieces
        where TAddition : struct, IAddition
    {
        GridDependency.LaunchDependents();
        var row = (long)Grid.IdxX * arguments.Chunks;
        var x = arguments.X.SubView(row);
        var weights = LocalMemory.Allocate<BFloat16x8>(TPieces.Count);
        for (var i = 0; i < Unroll.Full(TPieces.Count); i++)
        {
            weights[i] = default;
            if (Group.IdxX + (i * Group.DimX) < arguments.Chunks)
                weights[i] = arguments.Weight[Group.IdxX + (i * Group.DimX)];
        }

        GridDependency.Wait();
        var pieces = LocalMemory.Allocate<BFloat16x8>(TPieces.Count);
        var sum = 0f;
        for (var i = 0; i < Unroll.Full(TPieces.Count); i++)
        {
            var chunk = Group.IdxX + (i * Group.DimX);
            pieces[i] = default;
            if (chunk < arguments.Chunks)
            {
                pieces[i] = x[chunk];
                if (TAddition.Adds)
                {
                    pieces[i] = Sum(pieces[i], arguments.Delta[row + chunk]);
                    x[chunk] = pieces[i];
                }
            }

            sum = pieces[i].Dot(pieces[i], sum);
        }

        var scale = FastMath.Rsqrt((GroupReduce.Sum(sum) * arguments.InverseWidth) + arguments.Epsilon);
        var y = arguments.Y.SubView(row);
        for (var i = 0; i < Unroll.Full(TPieces.Count); i++)
        {
            var chunk = Group.IdxX + (i * Group.DimX);
            if (chunk < arguments.Chunks)
                y[chunk] = Scale(pieces[i], scale, weights[i]);
        }
    }

    private static BFloat16x8 Sum(BFloat16x8 a, BFloat16x8 b) => new()
    {
        A = BFloat16x2.FromSingles(a.A.Low + b.A.Low, a.A.High + b.A.High),
        B = BFloat16x2.FromSingles(a.B.Low + b.B.Low, a.B.High + b.B.High),
        C = BFloat16x2.FromSingles(a.C.Low + b.C.Low, a.C.High + b.C.High),
        D = BFloat16x2.FromSingles(a.D.Low + b.D.Low, a.D.High + b.D.High),
    };

    private static BFloat16x8 Scale(BFloat16x8 x, float scale, BFloat16x8 w) => new()
    {
        A = BFloat16x2.FromSingles(x.A.Low * scale * w.A.Low, x.A.High * scale * w.A.High),
        B = BFloat16x2.FromSingles(x.B.Low * scale * w.B.Low, x.B.High * scale * w.B.High),
        C = BFloat16x2.FromSingles(x.C.Low * scale * w.C.Low, x.C.High * scale * w.C.High),
        D = BFloat16x2.FromSingles(x.D.Low * scale * w.D.Low, x.D.High * scale * w.D.High),
    };

    private readonly struct Arguments(
        ArrayView<BFloat16x8> x,
        ArrayView<BFloat16x8> delta,
        ArrayView<BFloat16x8> weight,
        ArrayView<BFloat16x8> y,
        int chunks,
        float inverseWidth,
        float epsilon)
    {
        public readonly ArrayView<BFloat16x8> X = x;
        public readonly ArrayView<BFloat16x8> Delta = delta;
        public readonly ArrayView<BFloat16x8> Weight = weight;
        public readonly ArrayView<BFloat16x8> Y = y;
        public readonly int Chunks = chunks;
        public readonly float InverseWidth = inverseWidth;
        public readonly float Epsilon = epsilon;
    }

    private readonly struct One : IPieces
    {
        public static int Count => 1;
    }

    private readonly struct Four : IPieces
    {
        public static int Count => 4;
    }

    private readonly struct Keep : IAddition
    {
        public static bool Adds => false;
    }

    private readonly struct Add : IAddition
    {
        public static bool Adds => true;
    }
}
