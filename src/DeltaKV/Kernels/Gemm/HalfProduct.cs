using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Gemm;

/// <summary>Products of halves with an fp32 result, <c>y[m,n] = sum_k x[m,k] w[n,k]</c>: what small networks are trained with. See <see cref="TiledGemm"/>.</summary>
/// <remarks>Halves hold three bits more than bf16, which differences of near vectors need; whoever writes them keeps them in range. k is a multiple of 8.</remarks>
internal sealed class HalfProduct(Accelerator accelerator)
{
    private readonly KernelHandle<GemmArguments> small = new(accelerator, TiledGemm.Kernel<Tiles.Halves64x64, Epilogue.Singles>);
    private readonly KernelHandle<GemmArguments> large = new(accelerator, TiledGemm.Kernel<Tiles.Halves128x128, Epilogue.Singles>, new(128, 2));

    /// <summary>x <c>[m, k]</c>, w <c>[n, k]</c>, pairs of halves; y <c>[m, n]</c>.</summary>
    internal void Launch(AcceleratorStream stream, ArrayView<uint> x, ArrayView<uint> w, ArrayView<float> y, int m, int n, int k)
    {
        if (k % 8 != 0 || k == 0)
            throw new ArgumentException($"Rows of {k} elements; the kernels need a positive multiple of 8.", nameof(k));
        // The kernel takes 16-byte pieces and what they hold from the tile.
        var arguments = new GemmArguments(x.Cast<BFloat16>(), w.Cast<BFloat16>(), default, y, default, m, n, k);
        if (accelerator.AcceleratorType == AcceleratorType.Cuda && Groups<Tiles.Halves128x128>(m, n) >= accelerator.NumMultiprocessors)
            Launch<Tiles.Halves128x128>(stream, large, arguments);
        else
            Launch<Tiles.Halves64x64>(stream, small, arguments);
    }

    private static void Launch<TTile>(AcceleratorStream stream, KernelHandle<GemmArguments> kernel, GemmArguments arguments)
        where TTile : struct, TiledGemm.ITile
    {
        var shared = SharedMemoryConfig.RequestDynamic<UInt4>(TTile.Stages * (TTile.Rows + TTile.Columns) * SwizzledTile.RowChunks);
        kernel.Launch(stream, new KernelConfig(Groups<TTile>(arguments.Rows, arguments.Columns), 32 * TTile.WarpRows * TTile.WarpColumns, shared), arguments);
    }

    private static int Groups<TTile>(int m, int n)
        where TTile : struct, TiledGemm.ITile => (m + TTile.Rows - 1) / TTile.Rows * ((n + TTile.Columns - 1) / TTile.Columns);
}
