namespace DeltaKV.Tests.Support;

/// <summary>Finds files of the repository from wherever the tests run.</summary>
internal static class RepositoryRoot
{
    private static readonly string Directory = Find();

    internal static string PathTo(params string[] parts) => Path.Combine([Directory, .. parts]);

    /// <summary>A file or folder under <c>tests/DeltaKV.Tests/Fixtures</c>.</summary>
    internal static string Fixture(params string[] parts) => PathTo(["tests", "DeltaKV.Tests", "Fixtures", .. parts]);

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "DeltaKV.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException($"No DeltaKV.sln above {AppContext.BaseDirectory}; run the tests inside the repository.");
    }
}
