using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// One decoded operation: one cache line, executed by calling its handler, which returns the next operation.
/// </summary>
/// <remarks>
/// <see cref="Converged"/> runs while every live lane of the warp is active: it may overwrite dead lanes, so it never blends.
/// <see cref="Diverged"/> leaves inactive lanes as they are. Operations with effects outside registers look at the active mask in both.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct Op
{
    public delegate*<Warp*, Op*, Op*> Converged;
    public delegate*<Warp*, Op*, Op*> Diverged;

    /// <summary>Byte offsets of operands in the register frame.</summary>
    public int Dst;
    public int A;
    public int B;
    public int C;

    public long Imm;

    /// <summary>Further operand offsets, for operations with more than four.</summary>
    public int* Extra;

    public Op* Target;

    /// <summary>Index into the program's source positions.</summary>
    public int Instruction;

    public int Aux;

    /// <summary>What a handler returns when the warp's lanes have parked and must be scheduled anew.</summary>
    public static Op* Event => (Op*)nuint.MaxValue;
}
