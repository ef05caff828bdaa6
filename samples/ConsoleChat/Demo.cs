using System.Reflection;

namespace ConsoleChat;

/// <summary>What runs without a terminal: three questions about a bundled document, the first in one message with it.</summary>
internal static class Demo
{
    private static readonly string[] Questions =
        ["What is the access code of the amber falcon?", "Who is the keeper of the silver mill?", "Repeat the report on the copper lantern."];

    internal static async Task RunAsync(ChatConversation conversation)
    {
        var document = ReadNotes();
        Console.Out.WriteLine($"A document of {document.Length:N0} characters, facts scattered through it. Three questions:");
        for (var i = 0; i < Questions.Length; i++)
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine("> " + Questions[i]);
            await conversation.AskAsync(i == 0 ? document + "\n" + Questions[i] : Questions[i]);
        }
    }

    private static string ReadNotes()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("notes.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().TrimEnd();
    }
}
