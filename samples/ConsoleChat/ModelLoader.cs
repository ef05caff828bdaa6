using DeltaKV.Engine;
using Spectre.Console;

namespace ConsoleChat;

/// <summary>Loads the model behind a progress bar.</summary>
internal static class ModelLoader
{
    internal static async Task<LlmEngine> LoadAsync(IAnsiConsole status, Arguments arguments)
    {
        var directory = arguments.Model ?? FindEmbedded();
        // What a step computes is uncompressed until it ends: with smaller steps a long prompt never takes much memory.
        var options = new EngineOptions { Device = arguments.Device, MaxSequences = 4, MaxBatchTokens = 512, KvMethod = arguments.Kv };
        if (!status.Profile.Out.IsTerminal)
            return await LlmEngine.LoadAsync(directory, options);
        return await status.Progress().HideCompleted(true).StartAsync(async bars =>
        {
            var bar = bars.AddTask($"Loading {Path.GetFileName(directory)}", maxValue: 1);
            return await LlmEngine.LoadAsync(directory, options, new Progress<LoadProgress>(loaded => bar.Value = loaded.Fraction));
        });
    }

    /// <summary>models/needle-16m beside or above the program.</summary>
    private static string FindEmbedded()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var model = Path.Combine(folder.FullName, "models", "needle-16m");
            if (File.Exists(Path.Combine(model, "config.json")))
                return model;
        }

        throw new DirectoryNotFoundException("models/needle-16m is not here. Run from a clone of the repository, or name a model with --model DIR.");
    }
}
