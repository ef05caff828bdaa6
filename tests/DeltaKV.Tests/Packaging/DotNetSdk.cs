using System.Diagnostics;

namespace DeltaKV.Tests.Packaging;

/// <summary>The .NET SDK as a process.</summary>
internal static class DotNetSdk
{
    /// <summary>The <c>dotnet</c> that has an SDK beside it; null where there is a runtime only.</summary>
    internal static string? Host { get; } = Find();

    /// <summary>Runs a command to its end and returns its output.</summary>
    internal static async Task<string> RunAsync(string workingDirectory, params string[] arguments)
    {
        var start = new ProcessStartInfo(Host!, arguments)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The test host hands down where its own MSBuild is.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await output}{await error}");
        return await output;
    }

    private static string? Find()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var candidates = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))
            .Prepend(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "");
        return candidates.Where(File.Exists)
            .Select(file => new FileInfo(file).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file)
            .FirstOrDefault(file => Directory.Exists(Path.Combine(Path.GetDirectoryName(file)!, "sdk")));
    }
}
