namespace DeltaKV.Cli.Output;

/// <summary>A file that is written when work is done.</summary>
internal static class OutputFile
{
    /// <summary>Makes its folder before the work begins, so that nothing is lost when that cannot be done.</summary>
    /// <returns>The full path.</returns>
    /// <exception cref="UsageException">It is a folder itself.</exception>
    internal static string Prepare(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            throw new UsageException($"{path} is a directory, expected a file to write.");
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return full;
    }
}
