using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Runtime;

/// <summary>Chooses groups for kernels that only know their extent.</summary>
internal static class ImplicitGrouping
{
    private const int DefaultGroupSize = 256;
    private const int Warp = 32;

    /// <summary>The extent in three dimensions.</summary>
    internal static Index3D ToIndex3D<TIndex>(TIndex extent)
        where TIndex : struct, IIndex
    {
        if (typeof(TIndex) == typeof(Index1D))
            return new Index3D(Unsafe.As<TIndex, Index1D>(ref extent).X, 1, 1);
        if (typeof(TIndex) == typeof(Index2D))
            return new Index3D(Unsafe.As<TIndex, Index2D>(ref extent).X, Unsafe.As<TIndex, Index2D>(ref extent).Y, 1);
        if (typeof(TIndex) == typeof(Index3D))
            return Unsafe.As<TIndex, Index3D>(ref extent);
        throw new NotSupportedException($"Kernels are launched over Index1D, Index2D or Index3D, not over {typeof(TIndex).Name}.");
    }

    internal static int DimensionsOf<TIndex>()
        where TIndex : struct, IIndex =>
        typeof(TIndex) == typeof(Index1D) ? 1 : typeof(TIndex) == typeof(Index2D) ? 2 : 3;

    /// <summary>Groups of whole warps along X, so that neighbouring threads touch neighbouring elements.</summary>
    internal static Index3D GroupFor(Index3D extent, int dimensions, int groupSize, int maxGroupSize)
    {
        var size = Math.Min(groupSize > 0 ? groupSize : DefaultGroupSize, maxGroupSize);
        if (dimensions == 1)
        {
            var wholeWarps = (int)Math.Min(((long)extent.X + Warp - 1) / Warp * Warp, int.MaxValue);
            return new Index3D(groupSize > 0 ? size : Math.Min(size, wholeWarps), 1, 1);
        }

        var x = Math.Min(size, Warp);
        var rows = Math.Max(size / x, 1);
        return dimensions == 2 || rows < 4 ? new Index3D(x, rows, 1) : new Index3D(x, rows / 2, 2);
    }

    internal static Index3D GridFor(Index3D extent, Index3D group) =>
        new(GroupsAlong(extent.X, group.X), GroupsAlong(extent.Y, group.Y), GroupsAlong(extent.Z, group.Z));

    private static int GroupsAlong(int extent, int group) => (int)(((long)extent + group - 1) / group);
}
