using System.Security.Cryptography;
using System.Text;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Notes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What to calibrate on: generated notes with their questions, or plain text. Never a document that evaluation uses.</summary>
/// <remarks>Notes come from other seeds and other filler paragraphs than evaluation's, and whole families can be left out.</remarks>
internal sealed record CalibrationCorpus
{
    private const int QueriesPerText = 256;
    private const int LeastTokens = 512;

    // The longest are walks of a dozen steps, with their answers.
    private const int TokensPerQuestion = 192;

    /// <summary>Families of notes; empty to use text alone.</summary>
    public IReadOnlyList<string> Families { get; init; } = [.. NoteFamily.Names];

    /// <summary>Documents of each family.</summary>
    public int DocumentsPerFamily { get; init; } = 4;

    /// <summary>Lengths in tokens, taken in turn.</summary>
    public IReadOnlyList<int> Lengths { get; init; } = [2048, 4096];

    /// <summary>Questions per document.</summary>
    public int Questions { get; init; } = 10;

    /// <summary>Documents of prose without notes, made of paragraphs that evaluation does not use.</summary>
    public int ProseDocuments { get; init; }

    /// <summary>Plain texts to read besides, or instead.</summary>
    public IReadOnlyList<string> Texts { get; init; } = [];

    /// <summary>Documents follow from it.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>For the report: what is read.</summary>
    public string Description => string.Join(" and ", ((string[])
    [
        Families.Count == 0 ? "" : FormattableString.Invariant(
            $"{DocumentsPerFamily} documents of {string.Join('/', Lengths)} tokens with {Questions} questions of each of {string.Join(", ", Families)}, seed {Seed}"),
        ProseDocuments == 0 ? "" : FormattableString.Invariant($"{ProseDocuments} documents of prose, seed {Seed}"),
        Texts.Count == 0 ? "" : FormattableString.Invariant($"{Texts.Count} texts of {Texts.Sum(text => text.Length)} characters in parts of {string.Join('/', Lengths)} tokens"),
    ]).Where(part => part.Length > 0));

    /// <summary>Tells one corpus from another.</summary>
    public string Key => $"{Description}; {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', Texts))))}";

    /// <summary>The documents, in a fixed order.</summary>
    public IEnumerable<CalibrationDocument> Documents(IEvaluationTokenizer tokenizer)
    {
        for (var index = 0; index < DocumentsPerFamily; index++)
        {
            foreach (var family in Families)
                yield return Notes(tokenizer, family, index);
        }

        for (var index = 0; index < ProseDocuments; index++)
            yield return Prose(tokenizer, index);
        foreach (var text in Texts)
        {
            var tokens = tokenizer.Encode(text);
            foreach (var (start, length) in Parts(tokens.Length))
                yield return PlainText(tokens[start..(start + length)]);
        }
    }

    /// <summary>The longest transcript of a document of so many tokens: the questions come on top.</summary>
    public int RoomFor(int length) => length + (Families.Count == 0 ? 0 : Questions * TokensPerQuestion);

    /// <summary>How many documents there are.</summary>
    public int Count(IEvaluationTokenizer tokenizer) => (Families.Count * DocumentsPerFamily) + ProseDocuments + Texts.Sum(text => Parts(tokenizer.Encode(text).Length).Count());

    /// <summary>Refuses texts too short to say anything of a model: what is raw in any cache does not count.</summary>
    /// <exception cref="ArgumentException">They are.</exception>
    public void RequireEnough(IEvaluationTokenizer tokenizer)
    {
        if (Families.Count > 0 || ProseDocuments > 0)
            return;
        var tokens = Texts.Sum(text => tokenizer.Encode(text).Length);
        if (tokens < LeastTokens)
            throw new ArgumentException($"The texts have {tokens} tokens together; calibration needs {LeastTokens} at the very least, and some ten thousand to be of use. Name longer files or more of them.");
    }

    /// <summary>Where a text of so many tokens is cut.</summary>
    private IEnumerable<(int Start, int Length)> Parts(int tokens)
    {
        for (var (start, index) = (0, 0); start < tokens; start += Lengths[index++ % Lengths.Count])
            yield return (start, Math.Min(Lengths[index % Lengths.Count], tokens - start));
    }

    private CalibrationDocument Notes(IEvaluationTokenizer tokenizer, string family, int index)
    {
        var length = Lengths[index % Lengths.Count];
        var builder = new NoteDocumentBuilder(tokenizer, FillerText.Calibration);
        var document = builder.Build(family, new SeededRandom(Seed, "calibration", family, length, index), length, Questions);
        var tokens = builder.Transcript(document);
        return new CalibrationDocument(tokens, [.. Enumerable.Range(document.Context.Length, tokens.Length - document.Context.Length)]);
    }

    private CalibrationDocument Prose(IEvaluationTokenizer tokenizer, int index)
    {
        var (length, tokens) = (Lengths[index % Lengths.Count], new List<int>());
        var random = new SeededRandom(Seed, "prose", length, index);
        while (tokens.Count < length)
            tokens.AddRange(tokenizer.Encode(FillerText.Calibration[random.Next(FillerText.Calibration.Count)] + "\n"));
        return PlainText([.. tokens.Take(length)]);
    }

    private static CalibrationDocument PlainText(int[] tokens)
    {
        var step = Math.Max(1, tokens.Length / 2 / QueriesPerText);
        return new CalibrationDocument(tokens, [.. Enumerable.Range(0, tokens.Length).Where(i => i >= tokens.Length / 2 && i % step == 0)]);
    }
}
