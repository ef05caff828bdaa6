using System.CommandLine;
using DeltaKV.Cli.Options;
using DeltaKV.Cli.Output;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Commands;

/// <summary><c>deltakv info</c>: the model, the devices and the memory plan, without loading anything.</summary>
internal sealed class InfoCommand
{
    private readonly ModelArguments model = new();
    private readonly JsonArgument json = new();
    private readonly Option<int> sequences = new("--sequences") { Description = "Sequences to plan for. Default: 32.", HelpName = "N", DefaultValueFactory = _ => 32 };

    private readonly Option<string?> codec = new("--codec") { Description = "Show a codec of the method deltakv instead; with --model, whether it is that model's.", HelpName = "FILE" };

    internal static Command Create(Terminal terminal)
    {
        var options = new InfoCommand();
        var command = new Command("info", "Show the model, the devices and the memory plan, or a codec; loads nothing.");
        options.model.AddTo(command);
        command.Add(options.sequences);
        command.Add(options.codec);
        options.json.AddTo(command);
        command.SetAction((parsed, _) => options.RunAsync(parsed, terminal));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Terminal terminal)
    {
        if (parsed.GetValue(codec) is { } file)
            return await ShowCodecAsync(parsed, file, terminal);
        var directory = model.Directory(parsed);
        var options = model.Engine(parsed, parsed.GetValue(sequences), ModelArguments.AutomaticKv);
        var target = json.Read(parsed);
        var config = ModelConfig.Load(directory);
        using var weights = ModelWeights.Open(directory);
        var described = ModelRecord.Of(directory, config, weights);
        var devices = DevicesRecord.Read();
        // Before the plan, which fails where the model does not fit: then at least one knows what it is.
        if (!target.TakesOutput)
            await terminal.Out.WriteLineAsync($"{described}\n\n{devices}\n");
        using var factory = new DeviceRunnerFactory(options);
        var plan = factory.Plan(config, weights, options);
        if (!target.TakesOutput)
            await terminal.Out.WriteLineAsync(plan.ToString());
        await target.WriteAsync(new { model = described, devices, plan }, terminal);
        return ExitCode.Success;
    }

    private async Task<int> ShowCodecAsync(ParseResult parsed, string file, Terminal terminal)
    {
        var target = json.Read(parsed);
        var read = CodecFile.Load(file);
        if (model.NamesModel(parsed))
        {
            var directory = model.Directory(parsed);
            using var weights = ModelWeights.Open(directory);
            read.RequireModel(ModelFingerprint.Of(ModelConfig.Load(directory), weights));
        }

        var record = CodecRecord.Of(file, read);
        if (!target.TakesOutput)
            await terminal.Out.WriteLineAsync(record.ToString());
        await target.WriteAsync(record, terminal);
        return ExitCode.Success;
    }
}
