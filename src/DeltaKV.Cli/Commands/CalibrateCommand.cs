using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DeltaKV.Cli.Calibrating;
using DeltaKV.Cli.Options;
using DeltaKV.Cli.Output;
using DeltaKV.Compression;
using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Compression.DeltaKv.Training;

namespace DeltaKV.Cli.Commands;

/// <summary><c>deltakv calibrate</c>: reads documents with a model and writes what a method must know of it: the codec its cache is stored with, or its retrieval heads.</summary>
internal sealed class CalibrateCommand
{
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(10);

    private readonly ModelArguments model = new();
    private readonly CompressKvArguments compressKv = new();
    private readonly CorpusArguments corpus = new();
    private readonly CodecArguments codec = new();
    private readonly TrainingArguments training = new();
    private readonly JsonArgument json = new();
    private readonly Option<string?> output = new("--out", "-o") { Description = $"What to write. Default: {KvMethods.CodecFileName} or {CompressKvProfile.FileName} beside the model, where the methods look for them.", HelpName = "FILE" };

    private readonly Option<string?> statistics = new("--statistics") { Description = "Keep what was read in this file, and take it from there next time: other codecs of the same reading then cost only their solving.", HelpName = "FILE" };

    internal static Command Create(Terminal terminal)
    {
        var options = new CalibrateCommand();
        var command = new Command("calibrate", "Make what a method must know of a model: deltakv its codec, compresskv its retrieval heads and layer budgets. Making a codec goes on where it was interrupted.")
        {
            options.output,
            options.statistics,
        };
        options.compressKv.AddTo(command);
        options.corpus.AddTo(command);
        options.codec.AddTo(command);
        options.training.AddTo(command);
        options.model.AddDeviceTo(command);
        options.json.AddTo(command);
        command.SetAction((parsed, cancellation) => options.RunAsync(parsed, terminal, cancellation));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        using var confirmation = terminal.ConfirmInterrupts();
        var target = json.Read(parsed);
        if (compressKv.IsChosen(parsed))
            return await CompressKvAsync(parsed, target, terminal, cancellation);
        var plan = codec.Read(parsed);
        var documents = corpus.Read(parsed);
        var directory = model.Directory(parsed);
        var path = PathOf(parsed, directory, KvMethods.CodecFileName);
        var clock = Stopwatch.StartNew();
        // The transcript of a document's questions comes on top of its tokens.
        var room = DocumentRoom.Checked(directory, "--lengths", documents.Lengths.Max(), documents.RoomFor(documents.Lengths.Max()));
        using var reader = new DeviceCalibrationModel(directory, model.Engine(parsed, 1) with { MaxModelLength = room });
        plan.Validate(reader.Fingerprint.Layers);
        plan.Heads.Named?.RequireModel(reader.Fingerprint.Layers, reader.Fingerprint.KvHeads);
        var (made, errors) = plan.IsTrained
            ? Train(training.Read(parsed, plan, corpus.Seed(parsed)), plan, documents, reader, path, terminal, cancellation)
            : (Solve(parsed, plan, documents, reader, path, terminal, cancellation), "");
        var record = CodecRecord.Of(path, made);
        if (!target.TakesOutput)
            await terminal.Out.WriteLineAsync(errors + record);
        await terminal.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"calibrated in {clock.Elapsed.TotalSeconds:F1} s"));
        await target.WriteAsync(record, terminal);
        return ExitCode.Success;
    }

    private DeltaKvCodec Solve(
        ParseResult parsed, CodecPlan plan, CalibrationCorpus documents, DeviceCalibrationModel reader, string path, Terminal terminal, CancellationToken cancellation)
    {
        var kept = parsed.GetValue(statistics);
        var checkpoint = new CalibrationCheckpoint(kept ?? path + ".statistics", CheckpointInterval);
        // What is kept must serve codecs with references too.
        var calibrator = new DeltaKvCalibrator(reader, plan.Options, plan.References == ReferenceUse.None && kept is null ? 0 : plan.Neighbours, corpus.Seed(parsed));
        try
        {
            calibrator.Read(documents, checkpoint, new ProgressDisplay(terminal), cancellation);
        }
        catch (OperationCanceledException stopped)
        {
            throw new InterruptedException($"{checkpoint.Path} keeps what was read; the same command goes on from there.", stopped);
        }

        var made = calibrator.Solve(plan);
        CodecFile.Save(made, path);
        if (kept is null)
            checkpoint.Delete();
        return made;
    }

    private static (DeltaKvCodec Codec, string Errors) Train(
        CodecTraining how, CodecPlan plan, CalibrationCorpus documents, DeviceCalibrationModel reader, string path, Terminal terminal, CancellationToken cancellation)
    {
        var data = TrainingData.Read(reader, documents, plan.Options, how, new ProgressDisplay(terminal), cancellation);
        int[] full = [.. plan.FullLayers.Layers];
        var observers = plan.Observers.IsAutomatic ? FullLayerSelection.Observers(full, reader.Fingerprint.Layers) : [.. plan.Observers.Layers];
        var trained = TrainedCodec.Train(data, how, full, plan.Full, observers, reader.Accelerator, new ProgressDisplay(terminal), cancellation);
        CodecFile.Save(trained.Codec, path);
        return (trained.Codec, trained.Errors + Environment.NewLine);
    }

    private Task<int> CompressKvAsync(ParseResult parsed, JsonTarget target, Terminal terminal, CancellationToken cancellation)
    {
        var directory = model.Directory(parsed);
        var prompts = compressKv.Read(parsed, CompressKvCalibration.DefaultKinds(directory), corpus);
        return CompressKvCalibration.RunAsync(
            terminal, target, directory, model.Engine(parsed, 1), prompts, PathOf(parsed, directory, CompressKvProfile.FileName), cancellation);
    }

    private string PathOf(ParseResult parsed, string directory, string name)
    {
        if (parsed.GetValue(output) is { } path)
            return OutputFile.Prepare(path);
        return model.NamesModel(parsed)
            ? Path.Combine(directory, name)
            : throw new UsageException($"Without --model and --out this would replace the {name} that needle-16m comes with. Use --out FILE, or --model DIR for a model of yours.");
    }
}
