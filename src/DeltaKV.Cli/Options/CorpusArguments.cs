using System.CommandLine;
using System.Globalization;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation.Notes;

namespace DeltaKV.Cli.Options;

/// <summary>The options that say what calibration reads.</summary>
internal sealed class CorpusArguments
{
    private readonly Option<string[]> texts = new("--text") { Description = "Plain text files to calibrate on.", HelpName = "FILES", AllowMultipleArgumentsPerToken = true };
    private readonly Option<bool> synthetic = new("--synthetic") { Description = "Calibrate on generated notes with questions and answers; the default without --text." };
    private readonly Option<int> documents = new("--documents") { Description = "Generated documents of each family. Default: 4.", HelpName = "N", DefaultValueFactory = _ => 4 };
    private readonly Option<int> prose = new("--prose") { Description = "Generated documents of prose without notes. Default: 0.", HelpName = "N" };
    private readonly Option<string> lengths = new("--lengths") { Description = "Their tokens, taken in turn. Default: 2048,4096.", HelpName = "LIST", DefaultValueFactory = _ => "2048,4096" };
    private readonly Option<int> questions = new("--questions") { Description = "Questions in each. Default: 10.", HelpName = "N", DefaultValueFactory = _ => 10 };
    private readonly Option<string?> leaveOut = new("--leave-out") { Description = $"Families not to generate: {string.Join(", ", NoteFamily.Names)}.", HelpName = "LIST" };
    private readonly Option<long> seed = new("--seed") { Description = "Documents and everything drawn at random follow from it. Default: 1.", HelpName = "S", DefaultValueFactory = _ => 1 };

    internal void AddTo(Command command)
    {
        foreach (Option option in (Option[])[texts, synthetic, documents, prose, lengths, questions, leaveOut, seed])
            command.Add(option);
    }

    internal long Seed(ParseResult parsed) => parsed.GetValue(seed);

    /// <summary>Lengths that were asked for; null if none were.</summary>
    internal IReadOnlyList<int>? GivenLengths(ParseResult parsed) =>
        parsed.GetResult(lengths) is { Implicit: false } ? [.. Split(parsed.GetValue(lengths)).Select(Length)] : null;

    /// <summary>What was asked for; texts are read.</summary>
    /// <exception cref="UsageException">A family or a number makes no sense.</exception>
    internal CalibrationCorpus Read(ParseResult parsed)
    {
        var files = parsed.GetValue(texts) ?? [];
        var skipped = Split(parsed.GetValue(leaveOut));
        if (skipped.FirstOrDefault(name => !NoteFamily.Names.Contains(name)) is { } unknown)
            throw new UsageException($"--leave-out names '{unknown}', which is no family; there are: {string.Join(", ", NoteFamily.Names)}.");
        var isSynthetic = parsed.GetValue(synthetic) || files.Length == 0;
        var corpus = new CalibrationCorpus
        {
            Families = isSynthetic ? [.. NoteFamily.Names.Except(skipped)] : [],
            DocumentsPerFamily = UsageException.AtLeast(1, parsed.GetValue(documents), "--documents"),
            ProseDocuments = isSynthetic ? UsageException.AtLeast(0, parsed.GetValue(prose), "--prose") : 0,
            Lengths = [.. Split(parsed.GetValue(lengths)).Select(Length)],
            Questions = UsageException.AtLeast(1, parsed.GetValue(questions), "--questions"),
            Texts = [.. files.Select(InputFile.Read)],
            Seed = Seed(parsed),
        };
        if (corpus.Families.Count + corpus.ProseDocuments + corpus.Texts.Count == 0)
            throw new UsageException("--leave-out leaves nothing to calibrate on.");
        return corpus;
    }

    private static int Length(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length >= 512
        ? length
        : throw new UsageException($"--lengths names '{text}', expected numbers of tokens of at least 512, separated by commas.");

    private static string[] Split(string? list) => list?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
