using System.Runtime.CompilerServices;

namespace DeltaKV.Tests.Reference;

/// <summary>Where the repository keeps needle-16m.</summary>
internal static class NeedleModel
{
    public static string Directory { get; } = Path.Combine(RepositoryRoot(), "models", "needle-16m");

    private static string RepositoryRoot([CallerFilePath] string source = "")
    {
        var directory = Path.GetDirectoryName(source);
        while (directory is not null && !File.Exists(Path.Combine(directory, "DeltaKV.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new DirectoryNotFoundException($"No DeltaKV.sln above {source}.");
    }
}
