using System.Collections.Immutable;

namespace DeltaKV.Gpu.Compiler;

/// <summary>A kernel as PTX text, with what a launch has to know.</summary>
/// <param name="EntryName">The name of the PTX entry.</param>
/// <param name="DisplayName">The C# name, for people.</param>
/// <param name="Ptx">A complete PTX module.</param>
/// <param name="Parameters">The parameters in order.</param>
/// <param name="StaticSharedBytes">The bytes of the declared shared memory.</param>
/// <param name="UsesDynamicShared">Whether the kernel reads the launch's dynamic shared memory.</param>
internal sealed record CompiledKernel(
    string EntryName,
    string DisplayName,
    string Ptx,
    ImmutableArray<KernelParameter> Parameters,
    int StaticSharedBytes,
    bool UsesDynamicShared);
