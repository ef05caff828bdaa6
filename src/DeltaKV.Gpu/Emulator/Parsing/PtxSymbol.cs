namespace DeltaKV.Gpu.Emulator;

internal enum StateSpace : byte
{
    Generic,
    Global,
    Shared,
    Local,
    Param,
    Const,
}

/// <summary>A named address: its value is an offset within its space, or a host address for global variables.</summary>
internal sealed class PtxSymbol(string name, StateSpace space, long value)
{
    public string Name { get; } = name;

    public StateSpace Space { get; } = space;

    /// <summary>Settled when the kernel is complete: dynamic shared memory follows the static one.</summary>
    public long Value { get; set; } = value;
}
