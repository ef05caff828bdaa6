using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Benchmarks.Kernels;

/// <summary>Shapes that the launchers do not choose, to see whether they should. Measured only when asked for by name.</summary>
internal static class VariantCases
{
    internal const string Prefix = "variant";

    private static readonly int[] DecodeGroups = [2, 3, 4, 6, 9, 12];
    private static readonly (int K, int N)[] SkinnyShapes = [(4096, 6144), (4096, 4096), (14336, 4096), (4096, 128256)];

    internal static IEnumerable<KernelCase> All() =>
    [
        Tiled<Tile<N128, N128, N2, N2, N3>>(2), Tiled<Tile<N128, N128, N2, N4, N3>>(2), Tiled<Tile<N128, N128, N4, N2, N3>>(2),
        Tiled<Tile<N128, N256, N2, N4, N4>>(1), Tiled<Tile<N256, N128, N4, N2, N4>>(1), Tiled<Tile<N64, N256, N1, N4, N2>>(2),
        .. Skinny<SkinnyTile<N2, N8>>(3), .. Skinny<SkinnyTile<N2, N8>>(4), .. Skinny<SkinnyTile<N4, N8>>(2), .. Skinny<SkinnyTile<N4, N8>>(3),
        .. Skinny<SkinnyTile<N4, N4>>(4), .. Skinny<SkinnyTile<N4, N4>>(6),
        .. DecodeGroups.SelectMany(groups => new[] { Decode(1, 32768, groups), Decode(8, 32768, groups), Decode(16, 32768, groups) }),
    ];

    private interface INumber
    {
        static abstract int Value { get; }
    }

    private static KernelCase Tiled<TTile>(int groups)
        where TTile : struct, TiledGemm.ITile
    {
        const int m = 4096, n = 4096, k = 14336;
        var name = $"{Prefix} gemm {TTile.Rows}x{TTile.Columns} {TTile.WarpRows}x{TTile.WarpColumns} warps {TTile.Stages} stages";
        return new(name, 0, 2.0 * m * n * k, 2, arena =>
        {
            var threads = 32 * TTile.WarpRows * TTile.WarpColumns;
            var kernel = new KernelHandle<GemmArguments>(arena.Accelerator, TiledGemm.Kernel<TTile, Epilogue.Plain>, new(threads, groups));
            var arguments = new GemmArguments(arena.BFloat16s(m * k), arena.BFloat16s(n * k), arena.BFloat16s(m * n), default, default, m, n, k);
            var shared = SharedMemoryConfig.RequestDynamic<UInt4>(TTile.Stages * (TTile.Rows + TTile.Columns) * SwizzledTile.RowChunks);
            return _ => kernel.Launch(arena.Stream, new KernelConfig(m / TTile.Rows * (n / TTile.Columns), threads, shared), arguments);
        });
    }

    private static IEnumerable<KernelCase> Skinny<TTile>(int groups)
        where TTile : struct, SkinnyGemm.ITile =>
        SkinnyShapes.Select(shape =>
        {
            var (k, n) = shape;
            var name = $"{Prefix} gemv {k}->{n} {TTile.MaxWarps} warps depth {TTile.Depth} groups {groups}";
            return new KernelCase(name, 2.0 * n * k, 0, 10, arena =>
            {
                var copies = KernelCase.CopiesOf(2L * n * k);
                var kernel = new KernelHandle<GemmArguments>(
                    arena.Accelerator, SkinnyGemm.Kernel<TTile, Epilogue.Plain>, new(32 * TTile.MaxWarps, groups));
                var (x, w, y) = (arena.BFloat16s(k), arena.BFloat16s((long)copies * n * k), arena.BFloat16s(n));
                var config = new KernelConfig(n / (16 * TTile.WeightFragments), 32 * TTile.MaxWarps);
                return i => kernel.Launch(
                    arena.Stream, config, new GemmArguments(x, w.SubView((long)(i % copies) * n * k, (long)n * k), y, default, default, 1, n, k));
            });
        });

    private static KernelCase Decode(int rows, int context, int groups) =>
        AttentionCases.Decode($"{Prefix} decode b{rows} {context / 1024}k {groups} groups", rows, context, groups);

    private readonly struct Tile<TRows, TColumns, TWarpRows, TWarpColumns, TStages> : TiledGemm.ITile
        where TRows : struct, INumber
        where TColumns : struct, INumber
        where TWarpRows : struct, INumber
        where TWarpColumns : struct, INumber
        where TStages : struct, INumber
    {
        public static int Rows => TRows.Value;

        public static int Columns => TColumns.Value;

        public static int WarpRows => TWarpRows.Value;

        public static int WarpColumns => TWarpColumns.Value;

        public static int Stages => TStages.Value;

        public static bool Halves => false;
    }

    private readonly struct SkinnyTile<TDepth, TWarps> : SkinnyGemm.ITile
        where TDepth : struct, INumber
        where TWarps : struct, INumber
    {
        public static int WeightFragments => 1;

        public static int TokenFragments => 1;

        public static int Depth => TDepth.Value;

        public static int MaxWarps => TWarps.Value;
    }

    private readonly struct N1 : INumber
    {
        public static int Value => 1;
    }

    private readonly struct N2 : INumber
    {
        public static int Value => 2;
    }

    private readonly struct N3 : INumber
    {
        public static int Value => 3;
    }

    private readonly struct N4 : INumber
    {
        public static int Value => 4;
    }

    private readonly struct N8 : INumber
    {
        public static int Value => 8;
    }

    private readonly struct N64 : INumber
    {
        public static int Value => 64;
    }

    private readonly struct N128 : INumber
    {
        public static int Value => 128;
    }

    private readonly struct N256 : INumber
    {
        public static int Value => 256;
    }
}
