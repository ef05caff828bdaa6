using System.Collections.Immutable;

namespace DeltaKV.Gpu.Emulator;

/// <summary>One kernel of a module.</summary>
internal sealed class PtxEntry
{
    private readonly PtxKernel kernel;
    private readonly PtxModule module;
    private readonly Lazy<Program> sanitized;

    internal PtxEntry(PtxModule module, PtxKernel kernel)
    {
        this.module = module; // its global variables must live as long as the code that names them
        this.kernel = kernel;
        Parameters = [.. kernel.Parameters];
        Program = ProgramBuilder.Build(kernel, sanitize: false);
        sanitized = new Lazy<Program>(() => ProgramBuilder.Build(kernel, sanitize: true));
    }

    public string Name => kernel.Name;

    public ImmutableArray<PtxParameter> Parameters { get; }

    public int ParameterBytes => kernel.ParameterBytes;

    public int StaticSharedBytes => kernel.StaticSharedBytes;

    public int LocalBytes => kernel.LocalBytes;

    public PtxModule Module => module;

    internal Program Program { get; }

    internal Program SanitizedProgram => sanitized.Value;

    /// <summary>Smoothed cost of a block in ticks of the host's clock; decides whether other threads are worth waking. Races only blur it.</summary>
    internal long BlockTicks { get; set; } = -1;
}
