using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Gemm;

/// <summary>The epilogues, and how a finished sum leaves the registers.</summary>
internal static class Epilogue
{
    /// <summary>Writes one finished element: sum in fp32, one rounding.</summary>
    internal static void Store<TEpilogue>(in GemmArguments arguments, int row, int column, float sum)
        where TEpilogue : struct, IEpilogue
    {
        var index = ((long)row * arguments.Columns) + column;
        if (TEpilogue.AddsBias)
            sum += arguments.Addend[column];
        if (TEpilogue.AddsResidual)
            sum += arguments.Addend[index];
        if (TEpilogue.WritesSingles)
            arguments.Singles[index] = sum;
        else
            arguments.Output[index] = BFloat16.FromSingle(sum);
    }

    /// <summary>Writes two neighbours of a row in one access; <paramref name="column"/> and the number of columns are even.</summary>
    internal static void StorePair<TEpilogue>(in GemmArguments arguments, int row, int column, float first, float second)
        where TEpilogue : struct, IEpilogue
    {
        var index = (((long)row * arguments.Columns) + column) >> 1;
        if (TEpilogue.AddsBias)
        {
            var bias = arguments.Addend.Cast<BFloat16x2>()[column >> 1];
            first += bias.Low;
            second += bias.High;
        }

        if (TEpilogue.AddsResidual)
        {
            var residual = arguments.Addend.Cast<BFloat16x2>()[index];
            first += residual.Low;
            second += residual.High;
        }

        if (TEpilogue.WritesSingles)
            arguments.Singles.Cast<Float2>()[index] = new Float2(first, second);
        else
            arguments.Output.Cast<BFloat16x2>()[index] = BFloat16x2.FromSingles(first, second);
    }

    /// <summary><c>gate / (1 + exp(-gate)) * up</c>.</summary>
    internal static float SwiGlu(float gate, float up) => FastMath.Divide(gate, 1f + FastMath.Exp(-gate)) * up;

    /// <summary><c>y = x W^T</c>.</summary>
    internal readonly struct Plain : IEpilogue
    {
        public static bool Gates => false;

        public static bool AddsBias => false;

        public static bool AddsResidual => false;

        public static bool WritesSingles => false;
    }

    /// <summary><c>y = x W^T + b</c>.</summary>
    internal readonly struct Bias : IEpilogue
    {
        public static bool Gates => false;

        public static bool AddsBias => true;

        public static bool AddsResidual => false;

        public static bool WritesSingles => false;
    }

    /// <summary><c>y = x W^T + r</c>.</summary>
    internal readonly struct Residual : IEpilogue
    {
        public static bool Gates => false;

        public static bool AddsBias => false;

        public static bool AddsResidual => true;

        public static bool WritesSingles => false;
    }

    /// <summary><c>y = silu(x G^T) * (x U^T)</c>.</summary>
    internal readonly struct Gated : IEpilogue
    {
        public static bool Gates => true;

        public static bool AddsBias => false;

        public static bool AddsResidual => false;

        public static bool WritesSingles => false;
    }

    /// <summary><c>y = x W^T</c> in fp32: logits.</summary>
    internal readonly struct Singles : IEpilogue
    {
        public static bool Gates => false;

        public static bool AddsBias => false;

        public static bool AddsResidual => false;

        public static bool WritesSingles => true;
    }
}
