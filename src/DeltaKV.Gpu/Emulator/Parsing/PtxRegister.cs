namespace DeltaKV.Gpu.Emulator;

/// <summary>A declared virtual register; the program builder gives it a slot in the warp's register frame.</summary>
internal sealed class PtxRegister(string name, PtxType type)
{
    public string Name { get; } = name;

    public PtxType Type { get; } = type;

    public override string ToString() => $"{Name}:{Type}";
}
