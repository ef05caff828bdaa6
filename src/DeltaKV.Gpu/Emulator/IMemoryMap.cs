namespace DeltaKV.Gpu.Emulator;

/// <summary>Tells the sanitizer which global addresses belong to a live allocation.</summary>
internal interface IMemoryMap
{
    bool Contains(nuint address, int bytes);

    /// <summary>Says what lies at or near the address, for the report.</summary>
    string Describe(nuint address);
}
