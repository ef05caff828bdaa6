using DeltaKV.Engine;
using Spectre.Console;

namespace ConsoleChat;

/// <summary>The loop of a chat in a terminal.</summary>
internal sealed class InteractiveChat(ChatConversation conversation, IAnsiConsole console, bool isNeedle)
{
    private const string Help = "/doc FILE puts a document in front of your next message; /stats, /reset, /exit. Ctrl-C stops an answer.";
    private const string Needle = "The model finds facts in a text and can do nothing else. Try:\nThe keeper of the silver mill is Brolan. Who is the keeper of the silver mill?";

    private string document = "";

    internal async Task RunAsync()
    {
        console.MarkupLineInterpolated($"[bold]DeltaKV[/] [grey]{Help}[/]");
        if (isNeedle)
            console.MarkupLineInterpolated($"[grey]{Needle}[/]");
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
                case ["/doc"]:
                    console.MarkupLine("[yellow]/doc needs a file: /doc FILE[/]");
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
        catch (ContextOverflowException error)
        {
            console.MarkupLineInterpolated($"[yellow]{error.Message} /reset begins a new conversation.[/]");
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
