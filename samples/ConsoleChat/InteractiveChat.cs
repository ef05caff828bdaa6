using Spectre.Console;

namespace ConsoleChat;

/// <summary>The loop of a chat in a terminal.</summary>
internal sealed class InteractiveChat(ChatConversation conversation, IAnsiConsole console)
{
    private const string Help = "/doc FILE puts a document in front of your next message; /stats, /reset, /exit.";

    private string document = "";

    internal async Task RunAsync()
    {
        console.MarkupLineInterpolated($"[bold]DeltaKV[/] [grey]{Help}[/]");
        while (true)
        {
            var line = console.Prompt(new TextPrompt<string>("[green]>[/]").AllowEmpty()).Trim();
            switch (line.Split(' ', 2))
            {
                case [""]:
                    break;
                case ["/exit"]:
                    return;
                case ["/reset"]:
                    conversation.Reset();
                    document = "";
                    console.MarkupLine("[grey]A new conversation.[/]");
                    break;
                case ["/stats"]:
                    console.MarkupLineInterpolated($"[grey]{conversation.LastStats ?? "Nothing has been asked yet."}[/]");
                    break;
                case ["/doc", var file]:
                    Read(file.Trim());
                    break;
                case [['/', ..], ..]:
                    console.MarkupLineInterpolated($"[yellow]{line} is no command.[/] [grey]{Help}[/]");
                    break;
                default:
                    await AskAsync(line);
                    break;
            }
        }
    }

    private async Task AskAsync(string message)
    {
        try
        {
            await conversation.AskAsync(document + message);
            document = "";
        }
        catch (OperationCanceledException)
        {
            console.MarkupLine("\n[grey]Stopped; this question is not part of the conversation.[/]");
        }
    }

    private void Read(string file)
    {
        if (!File.Exists(file))
        {
            console.MarkupLineInterpolated($"[yellow]There is no file {file}.[/]");
            return;
        }

        document = File.ReadAllText(file) + "\n";
        console.MarkupLineInterpolated($"[grey]{document.Length:N0} characters, to be sent with your next message.[/]");
    }
}
