namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>The PTX special registers kernels read.</summary>
internal enum SpecialRegister : byte
{
    ThreadX,
    ThreadY,
    ThreadZ,
    GroupDimX,
    GroupDimY,
    GroupDimZ,
    GridIndexX,
    GridIndexY,
    GridIndexZ,
    GridDimX,
    GridDimY,
    GridDimZ,
    Lane,
    DynamicSharedBytes,
}

/// <summary>Facts about <see cref="SpecialRegister"/>.</summary>
internal static class SpecialRegisters
{
    public static string PtxName(this SpecialRegister register) => register switch
    {
        SpecialRegister.ThreadX => "%tid.x",
        SpecialRegister.ThreadY => "%tid.y",
        SpecialRegister.ThreadZ => "%tid.z",
        SpecialRegister.GroupDimX => "%ntid.x",
        SpecialRegister.GroupDimY => "%ntid.y",
        SpecialRegister.GroupDimZ => "%ntid.z",
        SpecialRegister.GridIndexX => "%ctaid.x",
        SpecialRegister.GridIndexY => "%ctaid.y",
        SpecialRegister.GridIndexZ => "%ctaid.z",
        SpecialRegister.GridDimX => "%nctaid.x",
        SpecialRegister.GridDimY => "%nctaid.y",
        SpecialRegister.GridDimZ => "%nctaid.z",
        SpecialRegister.DynamicSharedBytes => "%dynamic_smem_size",
        _ => "%laneid",
    };

    /// <summary>The largest value is below 2 to this power: a group has at most 1024 threads along x and y, 64 along z.</summary>
    public static int Bits(this SpecialRegister register) => register switch
    {
        SpecialRegister.ThreadX or SpecialRegister.ThreadY => 10,
        SpecialRegister.ThreadZ => 6,
        SpecialRegister.GroupDimX or SpecialRegister.GroupDimY => 11,
        SpecialRegister.GroupDimZ => 7,
        SpecialRegister.GridIndexY or SpecialRegister.GridIndexZ => 16,
        SpecialRegister.GridDimY or SpecialRegister.GridDimZ => 16,
        SpecialRegister.GridIndexX or SpecialRegister.GridDimX => 31,
        SpecialRegister.DynamicSharedBytes => 18,
        _ => 5,
    };
}
