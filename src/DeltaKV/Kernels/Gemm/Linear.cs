using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Gemm;

/// <summary>Linear layers in bf16, <c>y[m,n] = x[m,k] W[n,k]^T</c>: weights as Hugging Face stores them, sums in fp32, rounded once at the end.</summary>
/// <remarks>Chooses <see cref="SkinnyGemm"/> up to <see cref="MaxSkinnyRows"/> rows and <see cref="TiledGemm"/> beyond. k is a multiple of 8.</remarks>
internal sealed class Linear(Accelerator accelerator)
{
    /// <summary>The most rows the skinny kernel takes.</summary>
    internal const int MaxSkinnyRows = 64;

    private readonly Variants<Epilogue.Plain> plain = new(accelerator);
    private readonly Variants<Epilogue.Bias> bias = new(accelerator);
    private readonly Variants<Epilogue.Residual> residual = new(accelerator);
    private readonly Variants<Epilogue.Gated> gated = new(accelerator);
    private readonly Variants<Epilogue.Singles> singles = new(accelerator);

    /// <summary><c>y = x W^T</c>; x <c>[m, k]</c>, W <c>[n, k]</c>, y <c>[m, n]</c>.</summary>
    internal void Launch(
        AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> weight, ArrayView<BFloat16> y, int m, int n, int k) =>
        plain.Launch(stream, new GemmArguments(x, weight, y, default, default, m, n, k));

    /// <summary><c>y = x W^T + b</c>; b <c>[n]</c>.</summary>
    internal void LaunchBias(
        AcceleratorStream stream,
        ArrayView<BFloat16> x,
        ArrayView<BFloat16> weight,
        ArrayView<BFloat16> biasVector,
        ArrayView<BFloat16> y,
        int m,
        int n,
        int k) => bias.Launch(stream, new GemmArguments(x, weight, y, default, biasVector, m, n, k));

    /// <summary><c>y = x W^T + r</c>; r <c>[m, n]</c> may be y itself: then the product is added in place.</summary>
    internal void LaunchAdd(
        AcceleratorStream stream,
        ArrayView<BFloat16> x,
        ArrayView<BFloat16> weight,
        ArrayView<BFloat16> addend,
        ArrayView<BFloat16> y,
        int m,
        int n,
        int k) => residual.Launch(stream, new GemmArguments(x, weight, y, default, addend, m, n, k));

    /// <summary><c>y = silu(x G^T) * (x U^T)</c>; the weight is <c>[2n, k]</c>, all rows of G before those of U; y <c>[m, n]</c>.</summary>
    internal void LaunchSwiGlu(
        AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> gateUp, ArrayView<BFloat16> y, int m, int n, int k) =>
        gated.Launch(stream, new GemmArguments(x, gateUp, y, default, default, m, n, k));

    /// <summary><c>y = x W^T</c> in fp32: the logits of the language-model head.</summary>
    internal void LaunchLogits(
        AcceleratorStream stream, ArrayView<BFloat16> x, ArrayView<BFloat16> weight, ArrayView<float> y, int m, int n, int k) =>
        singles.Launch(stream, new GemmArguments(x, weight, default, y, default, m, n, k));

    private sealed class Variants<TEpilogue>(Accelerator accelerator)
        where TEpilogue : struct, IEpilogue
    {
        private readonly KernelHandle<GemmArguments> skinny8 = new(accelerator, SkinnyGemm.Kernel<Tiles.Skinny8, TEpilogue>, new(32 * Tiles.Skinny8.MaxWarps, 3));
        private readonly KernelHandle<GemmArguments> skinny16 = new(accelerator, SkinnyGemm.Kernel<Tiles.Skinny16, TEpilogue>, new(32 * Tiles.Skinny16.MaxWarps, 2));
        private readonly KernelHandle<GemmArguments> skinny32 = new(accelerator, SkinnyGemm.Kernel<Tiles.Skinny32, TEpilogue>, new(32 * Tiles.Skinny32.MaxWarps, 1));
        private readonly KernelHandle<GemmArguments> skinny64 = new(accelerator, SkinnyGemm.Kernel<Tiles.Skinny64, TEpilogue>, new(32 * Tiles.Skinny64.MaxWarps, 2));
        private readonly KernelHandle<GemmArguments> small = new(accelerator, TiledGemm.Kernel<Tiles.Of64x64, TEpilogue>);
        private readonly KernelHandle<GemmArguments> large = new(accelerator, TiledGemm.Kernel<Tiles.Of128x128, TEpilogue>, new(128, 2));

        internal void Launch(AcceleratorStream stream, GemmArguments arguments)
        {
            if (arguments.Rows == 0)
                return;
            if (arguments.Depth % 8 != 0 || arguments.Depth == 0)
                throw new ArgumentException($"A linear layer's input has {arguments.Depth} features; the kernels need a positive multiple of 8.", nameof(arguments));
            switch (arguments.Rows)
            {
                case <= 8:
                    LaunchSkinny<Tiles.Skinny8>(stream, skinny8, arguments);
                    break;
                case <= 16:
                    LaunchSkinny<Tiles.Skinny16>(stream, skinny16, arguments);
                    break;
                case <= 32:
                    LaunchSkinny<Tiles.Skinny32>(stream, skinny32, arguments);
                    break;
                case <= MaxSkinnyRows:
                    LaunchSkinny<Tiles.Skinny64>(stream, skinny64, arguments);
                    break;
                default:
                    if (Groups<Tiles.Of128x128>(arguments) >= accelerator.NumMultiprocessors && accelerator.AcceleratorType == AcceleratorType.Cuda)
                        LaunchTiled<Tiles.Of128x128>(stream, large, arguments);
                    else
                        LaunchTiled<Tiles.Of64x64>(stream, small, arguments);
                    break;
            }
        }

        private static void LaunchSkinny<TTile>(AcceleratorStream stream, KernelHandle<GemmArguments> kernel, GemmArguments arguments)
            where TTile : struct, SkinnyGemm.ITile
        {
            var columns = (TEpilogue.Gates ? 8 : 16) * TTile.WeightFragments;
            var warps = Math.Clamp(arguments.Depth / 512, 1, TTile.MaxWarps);
            kernel.Launch(stream, new KernelConfig((arguments.Columns + columns - 1) / columns, 32 * warps), arguments);
        }

        private static void LaunchTiled<TTile>(AcceleratorStream stream, KernelHandle<GemmArguments> kernel, GemmArguments arguments)
            where TTile : struct, TiledGemm.ITile
        {
            var shared = SharedMemoryConfig.RequestDynamic<UInt4>(TTile.Stages * (TTile.Rows + TTile.Columns) * SwizzledTile.RowChunks);
            kernel.Launch(stream, new KernelConfig(Groups<TTile>(arguments), 32 * TTile.WarpRows * TTile.WarpColumns, shared), arguments);
        }

        private static int Groups<TTile>(in GemmArguments arguments)
            where TTile : struct, TiledGemm.ITile
        {
            var columns = TEpilogue.Gates ? TTile.Columns / 2 : TTile.Columns;
            return (arguments.Rows + TTile.Rows - 1) / TTile.Rows * ((arguments.Columns + columns - 1) / columns);
        }
    }
}
