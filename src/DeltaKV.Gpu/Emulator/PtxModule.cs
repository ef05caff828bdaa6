using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>PTX text, parsed and ready to be launched on the CPU.</summary>
internal sealed class PtxModule
{
    private readonly List<nint> variables = [];
    private readonly List<PtxEntry> entries = [];

    private PtxModule()
    {
    }

    ~PtxModule() => FreeVariables();

    public IReadOnlyList<PtxEntry> Entries => entries;

    /// <summary>Parses and decodes every entry, so that what the emulator cannot execute is found here.</summary>
    public static PtxModule Parse(string ptx)
    {
        ArgumentNullException.ThrowIfNull(ptx);
        var module = new PtxModule();
        foreach (var kernel in PtxParser.Parse(ptx, module.variables))
            module.entries.Add(new PtxEntry(module, kernel));
        return module;
    }

    public PtxEntry Entry(string name) =>
        entries.Find(entry => entry.Name == name)
        ?? throw new PtxParseException(
            $"The PTX has no entry '{name}'; it has: {string.Join(", ", entries.Select(entry => entry.Name))}.");

    private unsafe void FreeVariables()
    {
        foreach (var variable in variables)
            NativeMemory.AlignedFree((void*)variable);
    }
}
