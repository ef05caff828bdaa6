namespace DeltaKV.Gpu.Compiler;

/// <summary>What one compilation is for.</summary>
internal sealed record CompileOptions
{
    /// <summary>The PTX target, <c>sm_80</c> or later.</summary>
    public string Target { get; init; } = "sm_80";

    /// <summary>Parameter 0 is the user's extent; the kernel sees its own global index and returns when outside.</summary>
    public bool ImplicitlyGrouped { get; init; }

    /// <summary>Write <c>.file</c> and <c>.loc</c> so that profilers and the sanitizer show C# lines.</summary>
    public bool LineInfo { get; init; } = true;
}
