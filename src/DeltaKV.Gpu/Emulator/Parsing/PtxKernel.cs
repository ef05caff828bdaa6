namespace DeltaKV.Gpu.Emulator;

/// <summary>A source position from <c>.loc</c>; a file of 0 means the position is unknown.</summary>
internal readonly record struct PtxLocation(int File, int Line);

/// <summary>A parsed entry: what the program builder turns into operations.</summary>
internal sealed class PtxKernel(string name, IReadOnlyDictionary<int, string> files)
{
    public string Name { get; } = name;

    public List<PtxParameter> Parameters { get; } = [];

    public List<PtxInstruction> Instructions { get; } = [];

    /// <summary>Positions the instructions refer to; entry 0 is "unknown".</summary>
    public List<PtxLocation> Locations { get; } = [default];

    /// <summary>Memory of the module's global variables.</summary>
    public List<(nint Address, int Size)> Variables { get; init; } = [];

    public int StaticSharedBytes { get; set; }

    public int DynamicSharedOffset { get; set; }

    public int LocalBytes { get; set; }

    public int ParameterBytes => Parameters.Count == 0 ? 0 : Parameters[^1].Offset + Parameters[^1].Size;

    /// <summary>The C# file and line of an instruction, or its PTX line.</summary>
    public string Describe(int location, int ptxLine)
    {
        var position = Locations[location];
        return position.Line > 0 && files.TryGetValue(position.File, out var file)
            ? $"{file}:{position.Line}"
            : $"PTX line {ptxLine}";
    }
}
