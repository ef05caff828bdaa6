using DeltaKV.Cli.Output;
using DeltaKV.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Cli.Commands;

/// <summary>The loop of <c>deltakv chat</c>: reads a line, answers it or obeys it.</summary>
internal sealed class Conversation(IChatClient client, LlmEngine engine, SamplingOptions sampling, JsonTarget json, Terminal terminal)
{
    private const string Help = """
        /doc FILE puts a document in front of the next message; /stats, /reset, /exit.
        Ctrl-C stops an answer.
        """;

    private readonly ChatOptions options = new() { RawRepresentationFactory = _ => sampling, ConversationId = NewId() };
    private string document = "";
    private string stats = "Nothing has been asked yet.";

    /// <summary>What a person is told first of the model.</summary>
    internal string Hint { get; init; } = "";

    internal async Task RunAsync(CancellationToken cancellation)
    {
        if (terminal.AcceptsInput)
            await terminal.Error.WriteLineAsync(Hint + Help);
        while (await ReadAsync(cancellation) is { } line)
        {
            switch (line.Trim().Split(' ', 2, StringSplitOptions.TrimEntries))
            {
                case [""]:
                    break;
                case ["/exit"]:
                    return;
                case ["/reset"]:
                    options.ConversationId = NewId();
                    document = "";
                    await terminal.Error.WriteLineAsync("A new conversation begins.");
                    break;
                case ["/help"]:
                    await terminal.Error.WriteLineAsync(Help);
                    break;
                case ["/stats"]:
                    await terminal.Error.WriteLineAsync(stats);
                    break;
                case ["/doc"]:
                    await terminal.Error.WriteLineAsync("/doc needs a file: /doc FILE");
                    break;
                case ["/doc", var file]:
                    await OpenAsync(file, cancellation);
                    break;
                case [['/', ..], ..]:
                    await terminal.Error.WriteLineAsync($"'{line}' is no command.{Environment.NewLine}{Help}");
                    break;
                default:
                    await AnswerAsync(document + line, cancellation);
                    break;
            }
        }
    }

    private static string NewId() => Guid.NewGuid().ToString("n");

    /// <summary>The next line, or null at the end of the input. A read that blocks does not hold up Ctrl-C.</summary>
    private async Task<string?> ReadAsync(CancellationToken cancellation)
    {
        if (terminal.AcceptsInput)
            await terminal.Error.WriteAsync("> ");
        return await Task.Run(terminal.In.ReadLine, cancellation).WaitAsync(cancellation);
    }

    /// <summary>Answers. A person's Ctrl-C stops the answer only; of piped input it stops all, for what comes next may build on it.</summary>
    private async Task AnswerAsync(string message, CancellationToken cancellation)
    {
        if (!terminal.AcceptsInput)
            await AskAsync(message, cancellation);
        else if (!await terminal.Interrupts.TryAsync(stop => AskAsync(message, stop)))
            await terminal.Error.WriteLineAsync($"{Environment.NewLine}[stopped: this question is not part of the conversation]");
    }

    private async Task AskAsync(string message, CancellationToken cancellation)
    {
        var output = json.TakesOutput ? TextWriter.Null : terminal.Out;
        try
        {
            var answer = await Answer.ChatAsync(client, message, options, output, cancellation);
            document = "";
            stats = answer.StatsLine;
            await output.WriteLineAsync();
            await terminal.Error.WriteLineAsync(stats);
            await json.WriteAsync(AnswerRecord.Of(answer, engine), terminal);
        }
        catch (ContextOverflowException error)
        {
            await terminal.Error.WriteLineAsync($"{ErrorText.Of(error)} /reset begins a new conversation.");
        }
    }

    private async Task OpenAsync(string file, CancellationToken cancellation)
    {
        try
        {
            document = await InputFile.ReadAsync(file, cancellation) + "\n";
            await terminal.Error.WriteLineAsync($"{Units.Count(document.Length)} characters, to be sent with the next message.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            await terminal.Error.WriteLineAsync(error.Message);
        }
    }
}
