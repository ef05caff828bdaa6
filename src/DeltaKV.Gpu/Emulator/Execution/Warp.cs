namespace DeltaKV.Gpu.Emulator;

/// <summary>State of one warp: where its lanes are, and its register frame.</summary>
/// <remarks>
/// A register is 32 consecutive lanes of 4 or 8 bytes in the frame; a predicate is a 32-bit lane mask. Constants and special registers
/// lie below <see cref="Registers"/>, variables above. While lanes are apart each has its own program counter in
/// <see cref="LanePc"/>; the group with the lowest one always runs, so lanes meet again where the code does.
/// </remarks>
internal unsafe struct Warp
{
    public const int Lanes = 32;

    public byte* Registers;
    public byte* Shared;
    public byte* Local;
    public byte* Parameters;
    public Block* Block;

    /// <summary>Lanes executing now.</summary>
    public uint Active;

    /// <summary>Lanes that exist and have not exited.</summary>
    public uint Live;

    /// <summary>Live lanes waiting at a barrier of the block.</summary>
    public uint Blocked;

    /// <summary>Live lanes waiting for other lanes of this warp at a <c>.sync</c> operation.</summary>
    public uint Gathering;

    /// <summary>No lane can run but gathering ones: the next <c>.sync</c> operation goes ahead with whom it has.</summary>
    public bool ForceGathered;

    public int Index;

    /// <summary>Bytes of local memory per lane.</summary>
    public int LocalBytes;

    /// <summary>Backward jumps left before the other warps get their turn; spinning on memory must not hang the block.</summary>
    public int Budget;

    public bool Yielded;

    /// <summary>Where all live lanes are, when they are together and parked; otherwise null.</summary>
    public Op* UniformPc;

    /// <summary>Where the running lanes start, and the lowest position of waiting ones, at which they stop.</summary>
    public Op* Pc;
    public Op* Stop;

    public fixed ulong LanePc[Lanes];

    public readonly bool IsConverged => Active == Live;
}
