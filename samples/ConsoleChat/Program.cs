using ConsoleChat;
using DeltaKV.Chat;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Tokenization;
using DeltaKV.Weights;
using Spectre.Console;

// Status goes to stderr, so that stdout holds answers and nothing else.
var status = AnsiConsole.Create(new AnsiConsoleSettings
{
    Out = new AnsiConsoleOutput(Console.Error),
    Ansi = Console.IsErrorRedirected ? AnsiSupport.No : AnsiSupport.Detect,
});

try
{
    if (Arguments.Parse(args) is not { } arguments)
    {
        Console.Out.WriteLine(Arguments.Usage);
        return 0;
    }

    using var engine = await ModelLoader.LoadAsync(status, arguments);
    using var client = new DeltaKVChatClient(engine);
    var conversation = new ChatConversation(client, Console.Out, status);
    // Ctrl-C stops an answer; where there is none, it ends the program as usual.
    Console.CancelKeyPress += (_, pressed) => pressed.Cancel = conversation.Stop();
    if (arguments.Document is { } document)
        await conversation.AskAsync(await File.ReadAllTextAsync(document) + "\n" + arguments.Prompt);
    else if (arguments.Prompt is { } prompt)
        await conversation.AskAsync(prompt);
    else if (Console.IsInputRedirected || Console.IsOutputRedirected)
        await Demo.RunAsync(conversation);
    else
        await new InteractiveChat(conversation, AnsiConsole.Console, isNeedle: arguments.Model is null).RunAsync();
    return 0;
}
catch (OperationCanceledException)
{
    return 130;
}
// What users, files and devices cause. Anything else is a defect, and its stack is wanted.
catch (Exception error) when (error is ArgumentException or IOException or UnauthorizedAccessException or NotSupportedException
    or ModelFormatException or TokenizerFormatException or ChatTemplateException or CodecMismatchException
    or InsufficientDeviceMemoryException or ContextOverflowException or AcceleratorException)
{
    status.MarkupLineInterpolated($"[red]{error.Message}[/]");
    return 1;
}
