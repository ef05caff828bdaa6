using DeltaKV.Gpu.Compiler;

namespace DeltaKV.Gpu.Runtime;

/// <summary>Writes the PTX of every loaded kernel to a directory.</summary>
internal static class PtxDump
{
    internal static void Write(string directory, CompiledKernel compiled)
    {
        Directory.CreateDirectory(directory);
        var name = compiled.EntryName.Length <= 120 ? compiled.EntryName : compiled.EntryName[..120];
        File.WriteAllText(Path.Combine(directory, name + ".ptx"), compiled.Ptx);
    }
}
