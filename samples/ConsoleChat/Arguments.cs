using DeltaKV.Engine;

namespace ConsoleChat;

/// <summary>What the command line says.</summary>
internal sealed record Arguments(string? Model, string? Document, string? Prompt, ComputeDevice Device, string Kv)
{
    internal const string Usage = """
        ConsoleChat [--model DIR] [--device auto|cpu|cuda] [--kv METHOD] [--document FILE] [--prompt TEXT]

        Without a prompt it chats; without a terminal it answers three questions about a bundled document.
        Keys and values are kept by --kv auto: compressed by DeltaKV if the model has a codec beside its weights, else as they are (--kv full).
        With --prompt it answers once on stdout and ends; --document puts a file in front of the prompt.
        """;

    /// <summary>Reads the command line; null when help was asked for.</summary>
    /// <exception cref="ArgumentException">An option is unknown or has no value.</exception>
    internal static Arguments? Parse(string[] args)
    {
        var arguments = new Arguments(null, null, null, ComputeDevice.Auto, "auto");
        for (var i = 0; i < args.Length; i += 2)
        {
            if (args[i] is "-h" or "--help")
                return null;
            if (i + 1 == args.Length && Usage.Contains($"[{args[i]} ", StringComparison.Ordinal))
                throw new ArgumentException($"{args[i]} has no value.\n{Usage}");
            var value = i + 1 < args.Length ? args[i + 1] : "";
            arguments = args[i] switch
            {
                "--model" => arguments with { Model = value },
                "--document" => arguments with { Document = value },
                "--prompt" => arguments with { Prompt = value },
                "--kv" => arguments with { Kv = value },
                "--device" when Enum.TryParse<ComputeDevice>(value, ignoreCase: true, out var device) => arguments with { Device = device },
                "--device" => throw new ArgumentException($"'{value}' is no device; expected auto, cpu or cuda."),
                _ => throw new ArgumentException($"'{args[i]}' is no option.\n{Usage}"),
            };
        }

        if (arguments is { Document: not null, Prompt: null })
            throw new ArgumentException("--document needs a --prompt: the question to ask about it.");
        return arguments;
    }
}
