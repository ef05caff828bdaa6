using DeltaKV.Engine;
using Spectre.Console;

namespace ConsoleChat;

/// <summary>Loads the model behind a progress bar.</summary>
internal static class ModelLoader
{
    internal static async Task<LlmEngine> LoadAsync(IAnsiConsole status, Arguments arguments)
    {
        var directory = arguments.Model ?? BundledModel.Find();
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
}
