namespace DeltaKV.Cli;

/// <summary>A text file that a user named.</summary>
internal static class InputFile
{
    /// <exception cref="IOException">It is not there, is a directory, or cannot be read.</exception>
    internal static string Read(string path) => File.ReadAllText(Checked(path));

    /// <inheritdoc cref="Read"/>
    internal static Task<string> ReadAsync(string path, CancellationToken cancellation) => File.ReadAllTextAsync(Checked(path), cancellation);

    private static string Checked(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"'{path}' is a directory, expected a text file.");
        return File.Exists(path) ? path : throw new FileNotFoundException($"There is no file '{path}' (looked for at {Path.GetFullPath(path)}).", path);
    }
}
