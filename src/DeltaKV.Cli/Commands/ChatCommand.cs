using System.CommandLine;
using DeltaKV.Chat;
using DeltaKV.Cli.Options;
using DeltaKV.Cli.Output;
using DeltaKV.Engine;

namespace DeltaKV.Cli.Commands;

/// <summary><c>deltakv chat</c>: a conversation, a line of input per message.</summary>
internal sealed class ChatCommand
{
    private const string Needle = """
        This is needle-16m, which finds facts in a text and can do nothing else.
        Put a text in front with /doc, or try:
        The keeper of the silver mill is Brolan. Who is the keeper of the silver mill?

        """;

    private readonly ModelArguments model = new();
    private readonly SamplingArguments sampling = new();
    private readonly JsonArgument json = new();

    internal static Command Create(Terminal terminal)
    {
        var options = new ChatCommand();
        var command = new Command("chat", "Talk with a model. Piped input is answered line by line.");
        options.sampling.AddTo(command);
        options.model.AddTo(command);
        options.json.AddTo(command);
        command.SetAction((parsed, cancellation) => options.RunAsync(parsed, terminal, cancellation));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        // A value out of range is found before the model is loaded.
        sampling.Apply(parsed, SamplingOptions.Greedy);
        var target = json.Read(parsed);
        await using var engine = await LlmEngine.LoadAsync(model.Directory(parsed), model.Engine(parsed, 1, ModelArguments.AutomaticKv), new LoadDisplay(terminal), cancellation);
        using var client = new DeltaKVChatClient(engine);
        var chosen = sampling.Apply(parsed, engine.DefaultSampling);
        await new Conversation(client, engine, chosen, target, terminal) { Hint = model.NamesModel(parsed) ? "" : Needle }.RunAsync(cancellation);
        return ExitCode.Success;
    }
}
