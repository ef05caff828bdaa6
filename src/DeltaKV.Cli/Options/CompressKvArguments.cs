using System.CommandLine;
using System.CommandLine.Parsing;
using DeltaKV.Compression.CompressKv;

namespace DeltaKV.Cli.Options;

/// <summary>The options by which calibration looks for retrieval heads instead of making a codec.</summary>
internal sealed class CompressKvArguments
{
    private const string DeltaKv = "deltakv";
    private const string CompressKv = "compresskv";

    private static readonly string[] Shared = ["--method", "--kinds", "--lengths", "--seed", "--out", "--model", "--device", "--chunk", "--memory", "--json"];

    private readonly Option<string> method = new("--method") { Description = "The method to calibrate. Default: deltakv.", HelpName = $"{DeltaKv}|{CompressKv}", DefaultValueFactory = _ => DeltaKv };
    private readonly Option<string?> kinds = new("--kinds") { Description = $"With compresskv, the needle prompts to ask: {string.Join(", ", RetrievalCorpus.NoteKinds.Concat(RetrievalCorpus.NeedleKinds))}. Default: the first four of needle models, the others of all others.", HelpName = "LIST" };

    internal void AddTo(Command command)
    {
        method.AcceptOnlyFromAmong(DeltaKv, CompressKv);
        command.Add(method);
        command.Add(kinds);
    }

    /// <summary>Whether CompressKV is to be calibrated.</summary>
    /// <exception cref="UsageException">Its options are given without it.</exception>
    internal bool IsChosen(ParseResult parsed)
    {
        var isChosen = parsed.GetValue(method) == CompressKv;
        if (!isChosen && parsed.GetValue(kinds) is not null)
            throw new UsageException($"--kinds belongs to --method {CompressKv}.");
        return isChosen;
    }

    /// <summary>The prompts that were asked for.</summary>
    /// <exception cref="UsageException">There is no such kind, or an option of codecs is given.</exception>
    internal RetrievalCorpus Read(ParseResult parsed, IReadOnlyList<string> defaultKinds, CorpusArguments corpus)
    {
        var foreign = parsed.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(option => !option.Implicit && !Shared.Contains(option.Option.Name));
        if (foreign is not null)
            throw new UsageException($"{foreign.Option.Name} has no meaning for --method {CompressKv}, which takes {string.Join(", ", Shared[1..])}.");
        var prompts = new RetrievalCorpus { Kinds = defaultKinds, Seed = corpus.Seed(parsed) };
        if (corpus.GivenLengths(parsed) is { } lengths)
            prompts = prompts with { Lengths = lengths };
        if (parsed.GetValue(kinds) is not { } list)
            return prompts;
        string[] known = [.. RetrievalCorpus.NoteKinds, .. RetrievalCorpus.NeedleKinds];
        string[] named = list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return named.FirstOrDefault(kind => !known.Contains(kind)) is { } unknown
            ? throw new UsageException($"--kinds names '{unknown}'; there are: {string.Join(", ", known)}.")
            : prompts with { Kinds = named };
    }
}
