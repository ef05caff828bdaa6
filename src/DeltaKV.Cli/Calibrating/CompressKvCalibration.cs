using DeltaKV.Cli.Options;
using DeltaKV.Cli.Output;
using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Engine;
using DeltaKV.Weights;
using static System.FormattableString;

namespace DeltaKV.Cli.Calibrating;

/// <summary><c>deltakv calibrate --method compresskv</c>: writes a model's retrieval heads and layer errors beside it, and shows them.</summary>
internal static class CompressKvCalibration
{
    private const string EmbeddedModel = "needle";
    private const int AnswerRoom = 256;
    private const int ShownBudget = 256;

    /// <summary>What is asked of a model when nothing else is said: notes of those that were trained on them, RULER's needles of others.</summary>
    internal static IReadOnlyList<string> DefaultKinds(string directory) =>
        ModelDirectory.NameOf(directory).StartsWith(EmbeddedModel, StringComparison.Ordinal)
            ? RetrievalCorpus.NoteKinds
            : RetrievalCorpus.NeedleKinds;

    internal static async Task<int> RunAsync(
        Terminal terminal, JsonTarget target, string directory, EngineOptions engine, RetrievalCorpus corpus, string path, CancellationToken cancellation)
    {
        engine = engine with { MaxSequences = 1, MaxModelLength = DocumentRoom.Checked(directory, "--lengths", corpus.Lengths.Max(), corpus.Lengths.Max() + AnswerRoom) };
        var profile = await Task.Run(
            () =>
            {
                using var model = new DeviceCalibrationModel(directory, engine);
                return new CompressKvCalibrator(model, new ProgressDisplay(terminal)).Run(corpus, cancellation);
            },
            cancellation);
        profile.Save(path);
        if (!target.TakesOutput)
            await terminal.Out.WriteLineAsync($"{path}: CompressKV profile of {profile.Model}\n{profile.Report}\n\n{Table(profile)}");
        await target.WriteAsync(profile, terminal);
        return ExitCode.Success;
    }

    private static TextTable Table(CompressKvProfile profile)
    {
        var table = new TextTable("layer", "heads", "best score", "mean score", "error", $"tokens at {ShownBudget}");
        var budgets = profile.Budgets(ShownBudget);
        for (var layer = 0; layer < profile.Layers.Count; layer++)
        {
            var (heads, scores, error) = profile.Layers[layer];
            table.Add(
                Invariant($"{layer}"), string.Join(' ', heads), Invariant($"{scores.Max():F3}"), Invariant($"{scores.Average():F3}"), Invariant($"{error:F2}"), Invariant($"{budgets[layer]}"));
        }

        return table;
    }
}
