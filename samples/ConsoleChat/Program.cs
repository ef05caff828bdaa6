using ConsoleChat;
using DeltaKV.Chat;
using Spectre.Console;

// Status goes to stderr, so that stdout holds answers and nothing else.
var status = AnsiConsole.Create(new AnsiConsoleSettings
{
    Out = new AnsiConsoleOutput(Console.Error),
    Ansi = Console.IsErrorRedirected ? AnsiSupport.No : AnsiSupport.Detect,
});
using var cancellation = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    cancellation.Cancel();
};

try
{
    if (Arguments.Parse(args) is not { } arguments)
    {
        Console.Out.WriteLine(Arguments.Usage);
        return 0;
    }

    using var engine = await ModelLoader.LoadAsync(status, arguments, cancellation.Token);
    using var client = new DeltaKVChatClient(engine);
    var conversation = new ChatConversation(client, Console.Out, status);
    if (arguments.Document is { } document)
        await conversation.AskAsync(await File.ReadAllTextAsync(document, cancellation.Token) + "\n" + arguments.Prompt, cancellation.Token);
    else if (arguments.Prompt is { } prompt)
        await conversation.AskAsync(prompt, cancellation.Token);
    else if (Console.IsInputRedirected || Console.IsOutputRedirected)
        await Demo.RunAsync(conversation, cancellation.Token);
    else
        await new InteractiveChat(conversation, AnsiConsole.Console).RunAsync(cancellation.Token);
    return 0;
}
catch (OperationCanceledException)
{
    return 130;
}
catch (Exception error) when (error is ArgumentException or IOException or InvalidOperationException or NotSupportedException)
{
    status.MarkupLineInterpolated($"[red]{error.Message}[/]");
    return 1;
}
