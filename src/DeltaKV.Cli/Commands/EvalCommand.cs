using System.CommandLine;
using DeltaKV.Cli.Benchmarking;
using DeltaKV.Cli.Options;
using DeltaKV.Cli.Output;
using DeltaKV.Engine;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Html;
using DeltaKV.Gpu;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Commands;

/// <summary><c>deltakv eval</c>: asks questions about long documents and says what every method keeps, costs and loses against the uncompressed cache.</summary>
internal sealed class EvalCommand
{
    private const string Both = "both";

    private readonly ModelArguments model = new();
    private readonly JsonArgument json = new();
    private readonly Option<string[]> method = new("--method") { Description = "A method with settings, NAME:key=value,... or LABEL=NAME:key=value,...; may be repeated. full is always measured.", HelpName = "METHOD" };
    private readonly Option<string> task = new("--task") { Description = $"Tasks, separated by commas: {string.Join(", ", EvaluationPlan.KnownTasks)}; niah, niah-single and the like, ruler and notes stand for several. Default: attr,json,copy,walk.", HelpName = "LIST", DefaultValueFactory = _ => "attr,json,copy,walk" };
    private readonly Option<string> length = new("--length") { Description = "Tokens of a document, such as 4096,16k. Default: 4096.", HelpName = "LIST", DefaultValueFactory = _ => "4096" };
    private readonly Option<int> questions = new("--questions") { Description = "Questions per task and length. Default: 100.", HelpName = "N", DefaultValueFactory = _ => 100 };
    private readonly Option<int> perDocument = new("--per-document") { Description = "Most questions about one document, answered in one batch. Default: 10.", HelpName = "N", DefaultValueFactory = _ => 10 };
    private readonly Option<long> seed = new("--seed") { Description = "What documents follow from. Default: 42.", HelpName = "N", DefaultValueFactory = _ => 42 };
    private readonly Option<string> setting = new("--setting") { Description = "agnostic: documents are compressed before any question is seen; aware: the question stands in the prompt. Default: agnostic.", HelpName = "agnostic|aware|both", DefaultValueFactory = _ => "agnostic" };
    private readonly Option<int> textTokens = new("--text-tokens") { Description = "Tokens of plain text over which perplexity and divergence are taken; 0 for none. Default: 256.", HelpName = "N", DefaultValueFactory = _ => 256 };
    private readonly Option<FileInfo?> text = new("--text") { Description = "The plain text, at least as long as the longest document. Default: built-in prose.", HelpName = "FILE" };
    private readonly Option<FileInfo?> html = new("--html") { Description = "Write the results as one self-contained page.", HelpName = "FILE" };
    private readonly Option<FileInfo?> journal = new("--journal") { Description = "Keep finished work here, and go on from what is there.", HelpName = "FILE" };
    private readonly Option<int> parallel = new("--parallel") { Description = "Methods measured side by side on the device. Default: 1.", HelpName = "N", DefaultValueFactory = _ => 1 };

    internal static Command Create(Terminal terminal)
    {
        var options = new EvalCommand();
        var command = new Command("eval", "Measure what methods keep, cost and lose on questions about long documents.");
        options.setting.AcceptOnlyFromAmong("agnostic", "aware", Both);
        foreach (Option option in (Option[])[options.method, options.task, options.length, options.questions, options.perDocument, options.seed, options.setting, options.textTokens, options.text, options.html, options.journal, options.parallel])
            command.Add(option);
        options.model.AddDeviceTo(command);
        options.json.AddTo(command);
        command.SetAction((parsed, cancellation) => options.RunAsync(parsed, terminal, cancellation));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        using var confirmation = terminal.ConfirmInterrupts();
        var (target, page) = (json.Read(parsed), Prepared(parsed.GetValue(html)));
        var plans = Plans(parsed, await ReadTextAsync(parsed, cancellation));
        var workers = UsageException.AtLeast(1, parsed.GetValue(parallel), "--parallel");
        using var targets = new DeviceTargets(model.Directory(parsed), model.Engine(parsed, plans[0].QuestionsPerDocument), plans[0].Lengths.Max(), workers);
        targets.Check(plans[0].Methods.SelectMany(plans[0].SpecificationsOf));

        var kept = new EvaluationJournal(Prepared(parsed.GetValue(journal)));
        var results = new List<EvaluationRecord>();
        var failures = 0;
        foreach (var plan in plans)
        {
            var runner = new EvaluationRunner(plan, kept, targets.Tokenizer, method => targets.Open(method, plan.Setting, cancellation), new ProgressDisplay(terminal)) { Workers = workers };
            var records = await RunAsync(runner, kept, cancellation);
            results.AddRange(records);
            failures += runner.Failures.Count;
            foreach (var (name, error) in runner.Failures)
                await terminal.Error.WriteLineAsync($"deltakv: {name} is left out: {(error is EvaluationException or InsufficientDeviceMemoryException or OutOfDeviceMemoryException ? error.Message : error.ToString())}");
            await target.SaveAsync(results);
            if (!target.TakesOutput)
                await terminal.Out.WriteLineAsync($"{EvaluationTable.Title(plan, targets.Device)}\n\n{EvaluationTable.Markdown(runner.Measured, kept, records, terminal.Width)}");
            if (page is not null)
                await File.WriteAllTextAsync(PageOf(page, plan, plans.Length), EvaluationHtml.Render(runner.Measured, kept, records), cancellation);
        }

        await target.WriteAsync(results, terminal);
        return failures == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    /// <summary>Runs, and when interrupted says what is kept.</summary>
    private static async Task<IReadOnlyList<EvaluationRecord>> RunAsync(EvaluationRunner runner, EvaluationJournal kept, CancellationToken cancellation)
    {
        try
        {
            return await Task.Run(() => runner.Run(cancellation), CancellationToken.None);
        }
        catch (OperationCanceledException stopped)
        {
            throw new InterruptedException(
                kept.Path is { } path
                    ? $"{path} keeps what is done ({kept.Entries.Count} documents); the same command goes on from there."
                    : "nothing is kept. With --journal FILE the same command would go on from where it stopped.",
                stopped);
        }
    }

    /// <summary>One plan per setting; they differ in nothing else.</summary>
    /// <exception cref="UsageException">Such a plan cannot be run.</exception>
    private EvaluationPlan[] Plans(ParseResult parsed, string? plainText)
    {
        var methods = parsed.GetValue(method)!.Select(EvaluationMethod.Parse).Prepend(EvaluationMethod.Parse(EvaluationRunner.Baseline)).Distinct().ToArray();
        if (methods.FirstOrDefault(m => m.Name.Length == 0 || m.Specification.Length == 0) is not null)
            throw new UsageException("--method is empty; expected NAME:key=value,... such as int4:recent=64.");
        try
        {
            var plan = new EvaluationPlan
            {
                Methods = [.. methods.Select(m => m.Name)],
                Tasks = EvaluationTasks.Parse(parsed.GetValue(task)!),
                Lengths = BenchSize.ParseLengths(parsed.GetValue(length)!),
                Questions = parsed.GetValue(questions),
                QuestionsPerDocument = parsed.GetValue(perDocument),
                Seed = parsed.GetValue(seed),
                TextTokens = parsed.GetValue(textTokens),
                Text = plainText,
                Model = ModelDirectory.NameOf(model.Directory(parsed)),
            };
            plan.Validate();
            plan = plan with { Specifications = methods.ToDictionary(m => m.Name, m => m.Specification, StringComparer.Ordinal) };
            return [.. Settings(parsed).Select(one => plan with { Setting = one })];
        }
        catch (EvaluationException error)
        {
            throw new UsageException(error.Message);
        }
    }

    private EvaluationSetting[] Settings(ParseResult parsed) => parsed.GetValue(setting) switch
    {
        Both => [EvaluationSetting.Agnostic, EvaluationSetting.Aware],
        "aware" => [EvaluationSetting.Aware],
        _ => [EvaluationSetting.Agnostic],
    };

    private async Task<string?> ReadTextAsync(ParseResult parsed, CancellationToken cancellation) =>
        parsed.GetValue(text) is { } file ? await InputFile.ReadAsync(file.ToString(), cancellation) : null;

    private static string? Prepared(FileInfo? file) => file is null ? null : OutputFile.Prepare(file.FullName);

    /// <summary>A page per setting: the second one's name says which.</summary>
    private static string PageOf(string page, EvaluationPlan plan, int pages) => pages == 1 || plan.Setting == EvaluationSetting.Agnostic
        ? page
        : Path.Combine(Path.GetDirectoryName(page)!, $"{Path.GetFileNameWithoutExtension(page)}-aware{Path.GetExtension(page)}");
}
