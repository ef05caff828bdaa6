namespace DeltaKV.Gpu;

/// <summary>Where this group stands in the grid of a launch.</summary>
public static class Grid
{
    /// <summary>The X index of this group in the grid.</summary>
    public static int IdxX => throw KernelOnlyException.Here();

    /// <summary>The number of groups along X.</summary>
    public static int DimX => throw KernelOnlyException.Here();

    /// <summary>The Y index of this group in the grid.</summary>
    public static int IdxY => throw KernelOnlyException.Here();

    /// <summary>The number of groups along Y.</summary>
    public static int DimY => throw KernelOnlyException.Here();

    /// <summary>The Z index of this group in the grid.</summary>
    public static int IdxZ => throw KernelOnlyException.Here();

    /// <summary>The number of groups along Z.</summary>
    public static int DimZ => throw KernelOnlyException.Here();

    /// <summary>The index of this group in the grid.</summary>
    public static Index3D Index => new(IdxX, IdxY, IdxZ);

    /// <summary>The size of the grid in groups.</summary>
    public static Index3D Dimension => new(DimX, DimY, DimZ);

    /// <summary>The row-major number of this group: x runs fastest.</summary>
    public static int LinearIndex => (((IdxZ * DimY) + IdxY) * DimX) + IdxX;

    /// <summary>The index of this thread over all groups.</summary>
    public static Index3D GlobalIndex => new(
        (IdxX * Group.DimX) + Group.IdxX,
        (IdxY * Group.DimY) + Group.IdxY,
        (IdxZ * Group.DimZ) + Group.IdxZ);

    /// <summary>The index of this thread over all groups, 64 bits wide.</summary>
    public static LongIndex3D LongGlobalIndex => new(
        ((long)IdxX * Group.DimX) + Group.IdxX,
        ((long)IdxY * Group.DimY) + Group.IdxY,
        ((long)IdxZ * Group.DimZ) + Group.IdxZ);

    /// <summary>The number of this thread over all groups: groups in linear order, threads within a group in linear order.</summary>
    public static int GlobalLinearIndex => (LinearIndex * (Group.DimX * Group.DimY * Group.DimZ)) + Group.LinearIndex;
}
