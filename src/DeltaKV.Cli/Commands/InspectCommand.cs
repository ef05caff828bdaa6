using System.CommandLine;
using DeltaKV.Cli.Calibrating;
using DeltaKV.Cli.Options;
using DeltaKV.Cli.Output;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation.Notes;
using DeltaKV.Inspection;
using DeltaKV.Weights;
using static System.FormattableString;

namespace DeltaKV.Cli.Commands;

/// <summary><c>deltakv inspect</c>: what a model's keys and values are like and what its heads look at, as a table, a page and JSON.</summary>
internal sealed class InspectCommand
{
    private const int SmallestLength = 512;
    private const int AnswerRoom = 256;

    private readonly ModelArguments model = new();
    private readonly JsonArgument json = new();
    private readonly Option<FileInfo?> text = new("--text") { Description = "Read this file instead of generated notes.", HelpName = "FILE" };
    private readonly Option<int> length = new("--length") { Description = "Tokens of a document. Default: 1024.", HelpName = "N", DefaultValueFactory = _ => 1024 };
    private readonly Option<int> neighbours = new("--neighbours") { Description = "Nearest references whose mean is compared. Default: 4.", HelpName = "K", DefaultValueFactory = _ => 4 };
    private readonly Option<int> stride = new("--stride") { Description = "Every so many tokens one is a reference. Default: 10.", HelpName = "S", DefaultValueFactory = _ => 10 };
    private readonly Option<long> seed = new("--seed") { Description = "What documents follow from. Default: 1.", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly Option<FileInfo?> profile = new("--profile") { Description = "The model's retrieval heads, as 'deltakv calibrate --method compresskv' writes them. Default: compresskv.json beside the model; without one they are looked for.", HelpName = "FILE" };
    private readonly Option<bool> noHeads = new("--no-heads") { Description = "Leave retrieval heads out." };
    private readonly Option<FileInfo?> html = new("--html") { Description = "Write one self-contained page.", HelpName = "FILE" };

    internal static Command Create(Terminal terminal)
    {
        var options = new InspectCommand();
        var command = new Command("inspect", "Show what a model's keys and values are like and what its heads look at.");
        foreach (Option option in (Option[])[options.text, options.length, options.neighbours, options.stride, options.seed, options.profile, options.noHeads, options.html])
            command.Add(option);
        options.model.AddDeviceTo(command);
        options.json.AddTo(command);
        command.SetAction((parsed, cancellation) => options.RunAsync(parsed, terminal, cancellation));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        using var confirmation = terminal.ConfirmInterrupts();
        var (target, directory) = (json.Read(parsed), model.Directory(parsed));
        var page = parsed.GetValue(html) is { } file ? OutputFile.Prepare(file.FullName) : null;
        var tokens = UsageException.AtLeast(SmallestLength, parsed.GetValue(length), "--length");
        UsageException.AtLeast(1, parsed.GetValue(neighbours), "--neighbours");
        var corpus = await CorpusAsync(parsed, tokens, cancellation);
        var engine = model.Engine(parsed, 1) with { MaxModelLength = DocumentRoom.Checked(directory, "--length", tokens, Math.Min(2 * tokens, corpus.RoomFor(tokens)) + AnswerRoom) };
        var report = await Task.Run(
            () =>
            {
                using var device = new DeviceCalibrationModel(directory, engine);
                return Inspect(parsed, terminal, directory, device, corpus, cancellation);
            },
            cancellation);
        if (page is not null)
            await File.WriteAllTextAsync(page, InspectionHtml.Render(report), cancellation);
        if (!target.TakesOutput)
            await terminal.Out.WriteLineAsync($"{report.Model} ({report.Fingerprint}), {report.Tokens:N0} tokens read:\n{report.Documents}\n\n{Table(report)}");
        await target.WriteAsync(report, terminal);
        return ExitCode.Success;
    }

    private InspectionReport Inspect(
        ParseResult parsed, Terminal terminal, string directory, DeviceCalibrationModel device, CalibrationCorpus corpus, CancellationToken cancellation)
    {
        var progress = new ProgressDisplay(terminal);
        var inspector = new KvInspector(device, progress)
        {
            Options = new CodedKvOptions { ReferenceStride = parsed.GetValue(stride) }, Neighbours = parsed.GetValue(neighbours),
        };
        return inspector.Run(
            ModelDirectory.NameOf(directory), corpus, Describe(parsed, corpus),
            parsed.GetValue(noHeads) ? null : Retrieval(parsed, terminal, directory, device, cancellation), cancellation);
    }

    private CompressKvProfile Retrieval(ParseResult parsed, Terminal terminal, string directory, DeviceCalibrationModel device, CancellationToken cancellation)
    {
        var path = parsed.GetValue(profile)?.FullName ?? Path.Combine(directory, CompressKvProfile.FileName);
        if (parsed.GetValue(profile) is not null || File.Exists(path))
        {
            var known = CompressKvProfile.Load(path);
            known.RequireModel(device.Fingerprint);
            return known;
        }

        var tokens = parsed.GetValue(length);
        var corpus = new RetrievalCorpus
        {
            Kinds = CompressKvCalibration.DefaultKinds(directory), Lengths = [tokens / 2, tokens], Depths = [0.2, 0.5, 0.8], Seed = parsed.GetValue(seed),
        };
        return new CompressKvCalibrator(device, new ProgressDisplay(terminal)).Run(corpus, cancellation);
    }

    private async Task<CalibrationCorpus> CorpusAsync(ParseResult parsed, int tokens, CancellationToken cancellation)
    {
        var corpus = new CalibrationCorpus { DocumentsPerFamily = 1, Lengths = [tokens], Seed = parsed.GetValue(seed) };
        return parsed.GetValue(text) is { } file
            ? corpus with { Families = [], Texts = [await InputFile.ReadAsync(file.ToString(), cancellation)] }
            : corpus with { Families = [.. NoteFamily.Names] };
    }

    private string Describe(ParseResult parsed, CalibrationCorpus corpus) => parsed.GetValue(text) is { } file
        ? Invariant($"{file.Name} in pieces of {corpus.Lengths[0]} tokens")
        : Invariant($"generated notes of {corpus.Lengths[0]} tokens, one document each of {string.Join(", ", corpus.Families)}; seed {corpus.Seed}");

    private static TextTable Table(InspectionReport report)
    {
        var table = new TextTable("layer", "|key|", "|value|", "outliers", "rank", "90 %", "99 %", "to mean", "nearest", $"mean of {report.Neighbours}", "bits", "with refs");
        foreach (var l in report.Layers)
        {
            table.Add(
                Invariant($"{l.Layer}"), Invariant($"{l.KeyNorm.Mean:F2}"), Invariant($"{l.ValueNorm.Mean:F2}"), Invariant($"{l.Keys.Outliers.Count}+{l.Values.Outliers.Count}"),
                Invariant($"{l.EffectiveRank:F0}"), Invariant($"{l.Axes90}"), Invariant($"{l.Axes99}"), Invariant($"{l.DistanceToMean.Mean:F2}"), Invariant($"{l.DistanceToNearest.Mean:F2}"),
                Invariant($"{l.DistanceToReferences.Mean:F2}"), Invariant($"{l.Bits:F0}"), Invariant($"{l.ResidualBits:F0}"));
        }

        return table;
    }
}
