using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Special registers that are constant while a block runs, and so live in the register frame.</summary>
internal enum SpecialRegister
{
    TidX,
    TidY,
    TidZ,
    LaneId,
    WarpId,
    LaneMaskEq,
    LaneMaskLt,
    LaneMaskLe,
    LaneMaskGt,
    LaneMaskGe,
    NtidX,
    NtidY,
    NtidZ,
    NctaidX,
    NctaidY,
    NctaidZ,
    NwarpId,
    SmId,
    NsmId,
    GridId,
    DynamicSharedBytes,
    TotalSharedBytes,
    CtaidX,
    CtaidY,
    CtaidZ,
}

internal static unsafe class SpecialRegisters
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryParse(string name, out SpecialRegister register)
    {
        SpecialRegister? found = name switch
        {
            "%tid.x" => SpecialRegister.TidX,
            "%tid.y" => SpecialRegister.TidY,
            "%tid.z" => SpecialRegister.TidZ,
            "%laneid" => SpecialRegister.LaneId,
            "%warpid" => SpecialRegister.WarpId,
            "%lanemask_eq" => SpecialRegister.LaneMaskEq,
            "%lanemask_lt" => SpecialRegister.LaneMaskLt,
            "%lanemask_le" => SpecialRegister.LaneMaskLe,
            "%lanemask_gt" => SpecialRegister.LaneMaskGt,
            "%lanemask_ge" => SpecialRegister.LaneMaskGe,
            "%ntid.x" => SpecialRegister.NtidX,
            "%ntid.y" => SpecialRegister.NtidY,
            "%ntid.z" => SpecialRegister.NtidZ,
            "%nctaid.x" => SpecialRegister.NctaidX,
            "%nctaid.y" => SpecialRegister.NctaidY,
            "%nctaid.z" => SpecialRegister.NctaidZ,
            "%nwarpid" => SpecialRegister.NwarpId,
            "%smid" => SpecialRegister.SmId,
            "%nsmid" => SpecialRegister.NsmId,
            "%gridid" => SpecialRegister.GridId,
            "%dynamic_smem_size" => SpecialRegister.DynamicSharedBytes,
            "%total_smem_size" => SpecialRegister.TotalSharedBytes,
            "%ctaid.x" => SpecialRegister.CtaidX,
            "%ctaid.y" => SpecialRegister.CtaidY,
            "%ctaid.z" => SpecialRegister.CtaidZ,
            _ => null,
        };
        register = found ?? default;
        return found is not null;
    }

    /// <summary>Whether the value differs between the blocks of a launch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsPerBlock(SpecialRegister register) => register >= SpecialRegister.CtaidX;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(uint* lanes, SpecialRegister register, Warp* warp, in LaunchShape shape)
    {
        var first = warp->Index * Warp.Lanes;
        switch (register)
        {
            case SpecialRegister.TidX:
                for (var i = 0; i < Warp.Lanes; i++)
                    lanes[i] = (uint)((first + i) % shape.Block.X);
                break;
            case SpecialRegister.TidY:
                for (var i = 0; i < Warp.Lanes; i++)
                    lanes[i] = (uint)((first + i) / shape.Block.X % shape.Block.Y);
                break;
            case SpecialRegister.TidZ:
                for (var i = 0; i < Warp.Lanes; i++)
                    lanes[i] = (uint)((first + i) / (shape.Block.X * shape.Block.Y));
                break;
            case SpecialRegister.LaneId or (>= SpecialRegister.LaneMaskEq and <= SpecialRegister.LaneMaskGe):
                for (var i = 0; i < Warp.Lanes; i++)
                    lanes[i] = OfLane(register, i);
                break;
            default:
                new Span<uint>(lanes, Warp.Lanes).Fill(OfWarp(register, warp, shape));
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint OfLane(SpecialRegister register, int lane) => register switch
    {
        SpecialRegister.LaneMaskEq => 1u << lane,
        SpecialRegister.LaneMaskLt => (1u << lane) - 1,
        SpecialRegister.LaneMaskLe => uint.MaxValue >> (31 - lane),
        SpecialRegister.LaneMaskGt => ~(uint.MaxValue >> (31 - lane)),
        SpecialRegister.LaneMaskGe => uint.MaxValue << lane,
        _ => (uint)lane,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint OfWarp(SpecialRegister register, Warp* warp, in LaunchShape shape) => register switch
    {
        SpecialRegister.WarpId => (uint)warp->Index,
        SpecialRegister.NtidX => (uint)shape.Block.X,
        SpecialRegister.NtidY => (uint)shape.Block.Y,
        SpecialRegister.NtidZ => (uint)shape.Block.Z,
        SpecialRegister.NctaidX => (uint)shape.Grid.X,
        SpecialRegister.NctaidY => (uint)shape.Grid.Y,
        SpecialRegister.NctaidZ => (uint)shape.Grid.Z,
        SpecialRegister.NwarpId => (uint)warp->Block->WarpCount,
        SpecialRegister.NsmId => 1,
        SpecialRegister.DynamicSharedBytes => (uint)shape.DynamicSharedBytes,
        SpecialRegister.TotalSharedBytes => (uint)warp->Block->SharedBytes,
        SpecialRegister.CtaidX => (uint)warp->Block->X,
        SpecialRegister.CtaidY => (uint)warp->Block->Y,
        SpecialRegister.CtaidZ => (uint)warp->Block->Z,
        _ => 0,
    };
}
