using System.IO.Compression;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Packaging;

/// <summary>The packages, made once from what the tests were built with.</summary>
public sealed class PackageFixture : IAsyncLifetime, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    /// <summary>A folder of packages, as a NuGet source.</summary>
    internal string Source => directory.File("packages");

    public async Task InitializeAsync()
    {
        if (DotNetSdk.Host is null)
            return;
        // .../bin/Release/net10.0/
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        await DotNetSdk.RunAsync(RepositoryRoot.PathTo(), "pack", "DeltaKV.sln", "-c", configuration, "--no-build", "-o", Source, "--nologo", "-v", "q");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => directory.Dispose();

    /// <summary>A file in a package.</summary>
    internal string Read(string package, string entry)
    {
        using var archive = Open(package);
        using var reader = new StreamReader(archive.GetEntry(entry)!.Open());
        return reader.ReadToEnd();
    }

    /// <summary>The files of a package.</summary>
    internal IReadOnlyList<string> Files(string package)
    {
        using var archive = Open(package);
        return [.. archive.Entries.Select(entry => entry.FullName)];
    }

    private ZipArchive Open(string package) => ZipFile.OpenRead(Path.Combine(Source, package));
}
