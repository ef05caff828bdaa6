using System.CommandLine;
using DeltaKV.Compression;
using DeltaKV.Engine;

namespace DeltaKV.Cli.Options;

/// <summary>The options that say which model runs where and with how much memory.</summary>
internal sealed class ModelArguments
{
    private readonly Option<string?> model = new("--model", "-m") { Description = "Hugging Face model directory. Default: the bundled needle-16m.", HelpName = "DIR" };
    private readonly Option<ComputeDevice> device = new("--device") { Description = "Where to run; auto takes a GPU if there is one.", HelpName = "auto|cpu|cuda" };
    private readonly Option<int?> context = new("--context") { Description = "Longest context in tokens. Default: the model's, as far as memory holds it.", HelpName = "N" };
    private readonly Option<int?> chunk = new("--chunk") { Description = "Most tokens computed in one step. Default: 2048.", HelpName = "N" };
    private readonly Option<double?> memory = new("--memory") { Description = "Share of the device's free memory to use. Default: 0.9.", HelpName = "SHARE" };

    private readonly Option<string?> kv = new("--kv") { Description = $"How keys and values are kept: {string.Join(", ", KvMethods.Names)}; with settings as NAME:key=value,..., and joined as snapkv:share=25+kivi-4. auto is deltakv where a codec lies beside the weights, else full. Default: auto to talk, full to measure.", HelpName = "METHOD" };

    /// <summary>What talks takes the codec that lies beside a model; what measures is told what to measure.</summary>
    internal const string AutomaticKv = "auto";

    internal void AddTo(Command command) => Add(command, model, device, chunk, memory, kv, context);

    /// <summary>Only what says which model runs where, for commands with methods and lengths of their own.</summary>
    internal void AddDeviceTo(Command command) => Add(command, model, device, chunk, memory);

    /// <summary>What a measurement of given sizes has: those take what memory they take.</summary>
    internal void AddMeasuredTo(Command command) => Add(command, model, device, chunk, kv);

    /// <summary>Whether a directory was named.</summary>
    internal bool NamesModel(ParseResult parsed) => parsed.GetValue(model) is not null;

    /// <summary>The directory, by name or by default.</summary>
    internal string Directory(ParseResult parsed) => parsed.GetValue(model) ?? BundledModel.Find();

    internal ComputeDevice Device(ParseResult parsed) => parsed.GetValue(device);

    /// <summary>The engine for as many sequences.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="sequences">Most at once.</param>
    /// <param name="kvMethod">How keys and values are kept when nothing is said of it.</param>
    internal EngineOptions Engine(ParseResult parsed, int sequences, string kvMethod = "full")
    {
        var options = new EngineOptions { KvMethod = kvMethod, Device = parsed.GetValue(device), MaxModelLength = parsed.GetValue(context), MaxSequences = sequences };
        if (parsed.GetValue(chunk) is { } tokens)
            options = options with { MaxBatchTokens = tokens };
        if (parsed.GetValue(kv) is { } method)
            options = options with { KvMethod = method };
        return parsed.GetValue(memory) is { } share ? options with { MemoryShare = share } : options;
    }

    private void Add(Command command, params ReadOnlySpan<Option> options)
    {
        device.AcceptOnlyFromAmong("auto", "cpu", "cuda");
        foreach (var option in options)
            command.Add(option);
    }
}
