namespace DeltaKV.Testing;

/// <summary>Finds source files that tests look at, also where the tests were built elsewhere and came along with the repository.</summary>
public static class SourceTree
{
    /// <summary>Where a file or folder of the tests is now, given where it was when they were compiled.</summary>
    public static string Locate(string builtAt)
    {
        ArgumentNullException.ThrowIfNull(builtAt);
        if (Path.Exists(builtAt))
            return builtAt;
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "DeltaKV.sln")))
            root = root.Parent;
        var inRepository = builtAt.LastIndexOf("/tests/", StringComparison.Ordinal);
        return root is null || inRepository < 0
            ? throw new FileNotFoundException($"There is no {builtAt}, and no repository above {AppContext.BaseDirectory}; run the tests inside a clone.", builtAt)
            : Path.Combine(root.FullName, builtAt[(inRepository + 1)..]);
    }
}
