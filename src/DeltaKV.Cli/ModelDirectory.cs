namespace DeltaKV.Cli;

/// <summary>Finds the model when none is named: <c>models/needle-16m</c> beside or above the program or the current directory.</summary>
internal static class ModelDirectory
{
    private const string DefaultName = "needle-16m";

    /// <exception cref="DirectoryNotFoundException">It is in neither place.</exception>
    internal static string FindDefault()
    {
        foreach (var start in (string[])[AppContext.BaseDirectory, Environment.CurrentDirectory])
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                var model = Path.Combine(folder.FullName, "models", DefaultName);
                if (File.Exists(Path.Combine(model, "config.json")))
                    return model;
            }
        }

        throw new DirectoryNotFoundException(
            $"There is no models/{DefaultName} above {AppContext.BaseDirectory} or {Environment.CurrentDirectory}. Name a Hugging Face model directory with --model DIR.");
    }
}
