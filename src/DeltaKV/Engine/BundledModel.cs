namespace DeltaKV.Engine;

/// <summary>The small model that comes with DeltaKV: with a clone of the repository, with the tool, and with the package DeltaKV.Needle16M.</summary>
public static class BundledModel
{
    /// <summary>Its name.</summary>
    public const string Name = "needle-16m";

    /// <summary>Finds its directory: <c>models/needle-16m</c> beside or above the program or the current directory.</summary>
    /// <exception cref="DirectoryNotFoundException">It is in neither place.</exception>
    public static string Find()
    {
        foreach (var start in (string[])[AppContext.BaseDirectory, Environment.CurrentDirectory])
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                var model = Path.Combine(folder.FullName, "models", Name);
                if (File.Exists(Path.Combine(model, "config.json")))
                    return model;
            }
        }

        throw new DirectoryNotFoundException(
            $"There is no models/{Name} beside or above {AppContext.BaseDirectory} or {Environment.CurrentDirectory}. "
            + $"Name a Hugging Face model directory, or reference the package DeltaKV.Needle16M, which brings {Name}.");
    }
}
