using System.CommandLine;
using DeltaKV.Cli.Benchmarking;
using DeltaKV.Cli.Options;
using DeltaKV.Gpu;
using DeltaKV.Model;

namespace DeltaKV.Cli.Commands;

/// <summary><c>deltakv bench</c>: decode steps and prompts of a model directory, or of a named shape with random weights, beside the copy bandwidth.</summary>
internal sealed class BenchCommand
{
    private readonly ModelArguments model = new();
    private readonly JsonArgument json = new();
    private readonly Option<string?> shape = new("--shape") { Description = $"Measure a shape with random weights instead of a model: {string.Join(", ", BenchShapes.Names)}.", HelpName = "NAME" };
    private readonly Option<string?> decode = new("--decode") { Description = "Decode steps to measure, such as 1x1024,8x32k,maxx128k (batch x context; max: as many as fit), or none.", HelpName = "LIST" };
    private readonly Option<string?> prefill = new("--prefill") { Description = "Prompt lengths to measure, such as 8192,32k, or none.", HelpName = "LIST" };
    private readonly Option<int> samples = new("--samples") { Description = "Decode steps to take the median of. Default: 20.", HelpName = "N", DefaultValueFactory = _ => 20 };
    private readonly Option<int> prefillSamples = new("--prefill-samples") { Description = "Prompts to take the median of. Default: 3.", HelpName = "N", DefaultValueFactory = _ => 3 };
    private readonly Option<bool> profile = new("--profile") { Description = "Measure the parts of a decode step too." };

    internal static Command Create(Terminal terminal)
    {
        var options = new BenchCommand();
        var command = new Command("bench", "Measure decode steps and prompts beside the copy bandwidth of the same run.");
        foreach (Option option in (Option[])[options.shape, options.decode, options.prefill, options.samples, options.prefillSamples, options.profile])
            command.Add(option);
        options.model.AddMeasuredTo(command);
        options.json.AddTo(command);
        command.SetAction((parsed, cancellation) => options.RunAsync(parsed, terminal, cancellation));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        using var confirmation = terminal.ConfirmInterrupts();
        var source = Source(parsed);
        var target = json.Read(parsed);
        using var context = Context.CreateDefault();
        using var accelerator = DeviceRunnerFactory.OpenAccelerator(context, model.Device(parsed));
        using var stream = accelerator.CreateStream();
        var plan = Plan(parsed, accelerator.AcceleratorType).WithLargestBatches(source, accelerator);
        plan.CheckMemory(source, accelerator);
        var run = new BenchRun(plan, target, terminal);
        var report = await run.MeasureAsync(source, stream, cancellation);
        return report.Failures.Count == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private BenchSource Source(ParseResult parsed)
    {
        var method = model.Engine(parsed, 1).KvMethod;
        if (parsed.GetValue(shape) is not { } name)
            return BenchSource.Directory(model.Directory(parsed), method);
        if (model.NamesModel(parsed))
            throw new UsageException("--shape and --model are both given; one of them is measured.");
        return BenchSource.Shape(name, method);
    }

    /// <summary>What was asked for; if nothing was, a little of both that the device does in seconds.</summary>
    private BenchPlan Plan(ParseResult parsed, AcceleratorType device)
    {
        var (decodes, prompts) = (parsed.GetValue(decode), parsed.GetValue(prefill));
        if (decodes is null && prompts is null)
            (decodes, prompts) = device == AcceleratorType.CPU ? ("1x256", "256") : ("1x1024,8x4096", "8192");
        return new BenchPlan(
            BenchSize.ParseList(decodes ?? "none"),
            BenchSize.ParseLengths(prompts ?? "none"),
            model.Engine(parsed, 1).MaxBatchTokens,
            UsageException.AtLeast(1, parsed.GetValue(samples), "--samples"),
            UsageException.AtLeast(1, parsed.GetValue(prefillSamples), "--prefill-samples"),
            parsed.GetValue(profile));
    }
}
