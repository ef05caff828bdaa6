using DeltaKV.Gpu.Compiler;

namespace DeltaKV.Gpu.Runtime;

/// <summary>Writes a <see cref="KernelSpecialization"/> into PTX, between the parameters of the entry and its body.</summary>
internal static class PtxBounds
{
    internal static CompiledKernel Apply(CompiledKernel compiled, KernelSpecialization specialization)
    {
        var directives = (specialization.MaxNumThreadsPerGroup is { } threads ? $"\n.maxntid {threads}, 1, 1" : "")
            + (specialization.MinNumGroupsPerMultiprocessor is { } groups ? $"\n.minnctapersm {groups}" : "");
        if (directives.Length == 0)
            return compiled;
        var entry = compiled.Ptx.IndexOf($".entry {compiled.EntryName}", StringComparison.Ordinal);
        var body = compiled.Ptx.IndexOf('{', entry);
        var close = compiled.Ptx.IndexOf(')', entry);
        var at = close >= 0 && close < body ? close + 1 : body;
        return compiled with { Ptx = compiled.Ptx.Insert(at, directives + "\n") };
    }
}
