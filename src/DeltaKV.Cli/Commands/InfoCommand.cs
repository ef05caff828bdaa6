using System.CommandLine;
using DeltaKV.Cli.Options;
using DeltaKV.Cli.Output;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Commands;

/// <summary><c>deltakv info</c>: the model, the devices and the memory plan, without loading anything.</summary>
internal sealed class InfoCommand
{
    private readonly ModelArguments model = new();
    private readonly JsonArgument json = new();
    private readonly Option<int> sequences = new("--sequences") { Description = "Sequences to plan for. Default: 32.", HelpName = "N", DefaultValueFactory = _ => 32 };

    internal static Command Create(Terminal terminal)
    {
        var options = new InfoCommand();
        var command = new Command("info", "Show the model, the devices and the memory plan; loads nothing.");
        options.model.AddTo(command);
        command.Add(options.sequences);
        options.json.AddTo(command);
        command.SetAction((parsed, _) => options.RunAsync(parsed, terminal));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Terminal terminal)
    {
        var directory = model.Directory(parsed);
        if (!Directory.Exists(directory))
            throw new DirectoryNotFoundException($"There is no model directory '{directory}'.");
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
}
