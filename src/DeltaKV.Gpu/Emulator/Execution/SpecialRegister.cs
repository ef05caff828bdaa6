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
    DynamicSmemSize,
    TotalSmemSize,
    CtaidX,
    CtaidY,
    CtaidZ,
}

internal static unsafe class SpecialRegisters
{
    /// <summary>By name without dots and underscores: <c>%tid.x</c> is <see cref="SpecialRegister.TidX"/>.</summary>
    private static readonly Dictionary<string, SpecialRegister> ByName =
        Enum.GetValues<SpecialRegister>().ToDictionary(register => "%" + register.ToString().ToLowerInvariant());

    public static bool TryParse(string name, out SpecialRegister register) =>
        ByName.TryGetValue(name.Replace(".", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal), out register);

    /// <summary>Whether the value differs between the blocks of a launch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsPerBlock(SpecialRegister register) => register >= SpecialRegister.CtaidX;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(uint* lanes, SpecialRegister register, Warp* warp, in KernelConfig config)
    {
        var first = warp->Index * Warp.Lanes;
        switch (register)
        {
            case SpecialRegister.TidX:
                for (var i = 0; i < Warp.Lanes; i++)
                    lanes[i] = (uint)((first + i) % config.GroupDim.X);
                break;
            case SpecialRegister.TidY:
                for (var i = 0; i < Warp.Lanes; i++)
                    lanes[i] = (uint)((first + i) / config.GroupDim.X % config.GroupDim.Y);
                break;
            case SpecialRegister.TidZ:
                for (var i = 0; i < Warp.Lanes; i++)
                    lanes[i] = (uint)((first + i) / (config.GroupDim.X * config.GroupDim.Y));
                break;
            case SpecialRegister.LaneId or (>= SpecialRegister.LaneMaskEq and <= SpecialRegister.LaneMaskGe):
                for (var i = 0; i < Warp.Lanes; i++)
                    lanes[i] = OfLane(register, i);
                break;
            default:
                new Span<uint>(lanes, Warp.Lanes).Fill(OfWarp(register, warp, config));
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
    private static uint OfWarp(SpecialRegister register, Warp* warp, in KernelConfig config) => register switch
    {
        SpecialRegister.WarpId => (uint)warp->Index,
        SpecialRegister.NtidX => (uint)config.GroupDim.X,
        SpecialRegister.NtidY => (uint)config.GroupDim.Y,
        SpecialRegister.NtidZ => (uint)config.GroupDim.Z,
        SpecialRegister.NctaidX => (uint)config.GridDim.X,
        SpecialRegister.NctaidY => (uint)config.GridDim.Y,
        SpecialRegister.NctaidZ => (uint)config.GridDim.Z,
        SpecialRegister.NwarpId => (uint)warp->Block->WarpCount,
        SpecialRegister.NsmId => 1,
        SpecialRegister.DynamicSmemSize => (uint)config.SharedMemoryConfig.ArraySize,
        SpecialRegister.TotalSmemSize => (uint)warp->Block->SharedBytes,
        SpecialRegister.CtaidX => (uint)warp->Block->X,
        SpecialRegister.CtaidY => (uint)warp->Block->Y,
        SpecialRegister.CtaidZ => (uint)warp->Block->Z,
        _ => 0,
    };
}
