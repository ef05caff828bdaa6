using System.Collections.Immutable;
using System.Reflection;

namespace DeltaKV.Gpu.Compiler;

// Stands in until src/DeltaKV.Gpu/Compiler lands; whoever lands it deletes this file.
internal sealed record CompileOptions
{
    public string Target { get; init; } = "sm_80";

    public bool ImplicitlyGrouped { get; init; }
}

internal sealed record CompiledKernel(
    string EntryName, string DisplayName, string Ptx, ImmutableArray<KernelParameter> Parameters, int StaticSharedBytes, bool UsesDynamicShared);

internal sealed record KernelParameter(string Name, Type Type, int Size, int Alignment);

internal static class KernelCompiler
{
    internal static CompiledKernel Compile(MethodInfo kernel, CompileOptions options) =>
        throw new NotSupportedException($"The compiler has not landed; {kernel} cannot be compiled for {options.Target}.");
}
