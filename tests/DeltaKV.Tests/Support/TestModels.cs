namespace DeltaKV.Tests.Support;

/// <summary>Where the models of this repository are.</summary>
internal static class TestModels
{
    internal static string Needle { get; } = Path.Combine(RepositoryRoot(), "models", "needle-16m");

    private static string RepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "DeltaKV.sln")))
                return directory.FullName;
        }
        throw new DirectoryNotFoundException($"No DeltaKV.sln above {AppContext.BaseDirectory}.");
    }
}
