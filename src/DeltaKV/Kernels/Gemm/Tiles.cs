namespace DeltaKV.Kernels.Gemm;

/// <summary>The shapes of matrix products that <see cref="Linear"/> chooses from; measured with the benchmark's <c>variant</c> rows.</summary>
internal static class Tiles
{
    /// <summary>Up to 8 tokens.</summary>
    internal readonly struct Skinny8 : SkinnyGemm.ITile
    {
        public static int WeightFragments => 1;

        public static int TokenFragments => 1;

        public static int Depth => 2;

        public static int MaxWarps => 8;
    }

    /// <summary>Up to 16 tokens.</summary>
    internal readonly struct Skinny16 : SkinnyGemm.ITile
    {
        public static int WeightFragments => 1;

        public static int TokenFragments => 2;

        public static int Depth => 2;

        public static int MaxWarps => 8;
    }

    /// <summary>Up to 32 tokens.</summary>
    internal readonly struct Skinny32 : SkinnyGemm.ITile
    {
        public static int WeightFragments => 2;

        public static int TokenFragments => 4;

        public static int Depth => 2;

        public static int MaxWarps => 8;
    }

    /// <summary>Up to 64 tokens.</summary>
    internal readonly struct Skinny64 : SkinnyGemm.ITile
    {
        public static int WeightFragments => 2;

        public static int TokenFragments => 8;

        public static int Depth => 2;

        public static int MaxWarps => 4;
    }

    /// <summary>For products too small to fill the device with large tiles.</summary>
    internal readonly struct Of64x64 : TiledGemm.ITile
    {
        public static int Rows => 64;

        public static int Columns => 64;

        public static int WarpRows => 2;

        public static int WarpColumns => 2;

        public static int Stages => 4;

        public static bool Halves => false;
    }

    /// <summary>For large products: two groups of four warps fit a multiprocessor, one multiplies while the other waits.</summary>
    internal readonly struct Of128x128 : TiledGemm.ITile
    {
        public static int Rows => 128;

        public static int Columns => 128;

        public static int WarpRows => 2;

        public static int WarpColumns => 2;

        public static int Stages => 3;

        public static bool Halves => false;
    }

    /// <summary><see cref="Of64x64"/> of halves.</summary>
    internal readonly struct Halves64x64 : TiledGemm.ITile
    {
        public static int Rows => Of64x64.Rows;

        public static int Columns => Of64x64.Columns;

        public static int WarpRows => Of64x64.WarpRows;

        public static int WarpColumns => Of64x64.WarpColumns;

        public static int Stages => Of64x64.Stages;

        public static bool Halves => true;
    }

    /// <summary><see cref="Of128x128"/> of halves.</summary>
    internal readonly struct Halves128x128 : TiledGemm.ITile
    {
        public static int Rows => Of128x128.Rows;

        public static int Columns => Of128x128.Columns;

        public static int WarpRows => Of128x128.WarpRows;

        public static int WarpColumns => Of128x128.WarpColumns;

        public static int Stages => Of128x128.Stages;

        public static bool Halves => true;
    }
}
