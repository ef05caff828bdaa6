using System.ComponentModel;
using System.Diagnostics;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>A theory that is skipped where <c>ptxas</c> is not on the path.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PtxasTheoryAttribute : TheoryAttribute
{
    private static readonly Lazy<string?> Help = new(ReadHelp);

    public PtxasTheoryAttribute()
    {
        if (Help.Value is null)
            Skip = "ptxas is not on the path.";
    }

    /// <summary>Whether the installed assembler is new enough for a target.</summary>
    public static bool Knows(string target) => Help.Value!.Contains($"'{target}'", StringComparison.Ordinal);

    public static (int Code, string Output) Run(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ptxas", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    private static string? ReadHelp()
    {
        try
        {
            return Run("--help").Output;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
