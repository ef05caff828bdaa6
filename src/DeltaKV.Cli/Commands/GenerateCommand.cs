using System.CommandLine;
using DeltaKV.Chat;
using DeltaKV.Cli.Options;
using DeltaKV.Cli.Output;
using DeltaKV.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Cli.Commands;

/// <summary><c>deltakv generate</c>: one prompt, one answer on stdout, what it took on stderr.</summary>
internal sealed class GenerateCommand
{
    private readonly ModelArguments model = new();
    private readonly SamplingArguments sampling = new();
    private readonly JsonArgument json = new();
    private readonly Option<string?> prompt = new("--prompt", "-p") { Description = "The prompt. Default: standard input.", HelpName = "TEXT" };
    private readonly Option<string?> promptFile = new("--prompt-file") { Description = "A file that holds the prompt.", HelpName = "FILE" };
    private readonly Option<string?> document = new("--document", "-d") { Description = "A file to put in front of the prompt.", HelpName = "FILE" };
    private readonly Option<bool> raw = new("--raw") { Description = "Continue the text as it is, without the model's chat format." };

    internal static Command Create(Terminal terminal)
    {
        var options = new GenerateCommand();
        var command = new Command("generate", "Answer one prompt.");
        foreach (Option option in (Option[])[options.prompt, options.promptFile, options.document, options.raw])
            command.Add(option);
        options.sampling.AddTo(command);
        options.model.AddTo(command);
        options.json.AddTo(command);
        command.SetAction((parsed, cancellation) => options.RunAsync(parsed, terminal, cancellation));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        var text = await ReadPromptAsync(parsed, terminal, cancellation);
        var target = json.Read(parsed);
        // A value out of range is found before the model is loaded.
        sampling.Apply(parsed, SamplingOptions.Greedy);
        await using var engine = await LlmEngine.LoadAsync(model.Directory(parsed), model.Engine(parsed, 1, ModelArguments.AutomaticKv), new LoadDisplay(terminal), cancellation);
        var chosen = sampling.Apply(parsed, engine.DefaultSampling);
        var output = target.TakesOutput ? TextWriter.Null : terminal.Out;
        Answer answer;
        try
        {
            answer = await AnswerAsync(engine, text, chosen, parsed.GetValue(raw), output, cancellation);
        }
        catch (OperationCanceledException)
        {
            // What there is of the answer ends with a line too.
            await output.WriteLineAsync();
            throw;
        }

        await output.WriteLineAsync();
        await terminal.Error.WriteLineAsync(answer.StatsLine);
        await target.WriteAsync(AnswerRecord.Of(answer, engine), terminal);
        return ExitCode.Success;
    }

    private static async Task<Answer> AnswerAsync(
        LlmEngine engine, string text, SamplingOptions sampling, bool raw, TextWriter output, CancellationToken cancellation)
    {
        if (raw)
            return await Answer.ContinueAsync(engine, text, sampling, output, cancellation);
        using var client = new DeltaKVChatClient(engine);
        return await Answer.ChatAsync(client, text, new ChatOptions { RawRepresentationFactory = _ => sampling }, output, cancellation);
    }

    /// <summary>The document verbatim, a newline, the prompt.</summary>
    private async Task<string> ReadPromptAsync(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        var said = parsed.GetValue(prompt);
        if (parsed.GetValue(promptFile) is { } file)
        {
            if (said is not null)
                throw new UsageException("--prompt and --prompt-file are both given; one prompt is answered.");
            said = await InputFile.ReadAsync(file, cancellation);
        }

        if (said is null && terminal.AcceptsInput)
            throw new UsageException("There is no prompt: use --prompt TEXT, --prompt-file FILE, or pipe it in. To talk, use deltakv chat.");
        said ??= (await terminal.In.ReadToEndAsync(cancellation)).TrimEnd('\r', '\n');
        if (said.Length == 0)
            throw new UsageException("The prompt is empty.");
        return parsed.GetValue(document) is { } path ? await InputFile.ReadAsync(path, cancellation) + "\n" + said : said;
    }
}
