namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>Where an address points.</summary>
internal enum AddressSpace : byte
{
    Unknown,
    Global,
    Shared,
    Local,
}
