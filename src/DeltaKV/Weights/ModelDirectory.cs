namespace DeltaKV.Weights;

/// <summary>A Hugging Face model directory by its path.</summary>
internal static class ModelDirectory
{
    /// <summary>The name of the model: that of its directory.</summary>
    public static string NameOf(string directory) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory)));
}
