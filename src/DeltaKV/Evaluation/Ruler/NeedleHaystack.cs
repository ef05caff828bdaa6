using System.Globalization;
using DeltaKV.Evaluation.Notes;
using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Ruler;

/// <summary>RULER's needles in a haystack: how many keys, values per key and keys asked for, and what the hay is.</summary>
/// <remarks>Source: Hsieh et al., RULER, 2024 (arXiv 2404.06654).</remarks>
internal sealed record NeedleHaystack(NeedleHay Hay, int Keys, int ValuesPerKey, int KeysAsked)
{
    private static readonly int[] UuidGroups = [8, 4, 4, 4, 12];

    private static readonly string[] Noise =
        ["The grass is green.", "The sky is blue.", "The sun is yellow.", "Here we go.", "There and back again."];

    /// <summary>What essays are made of.</summary>
    public IReadOnlyList<string> Prose { get; init; } = FillerText.Evaluation;

    /// <summary>Where the needles go, 0 at the beginning and 1 at the end; null: anywhere.</summary>
    public double? Depth { get; init; }

    /// <summary>A problem whose hay has <paramref name="units"/> sentences.</summary>
    public RulerProblem Create(SeededRandom random, int units)
    {
        var type = random.Pick<string>("number", "word", "uuid");
        var keys = Unique(Keys, () => NoteWords.Place(random).Replace(' ', '-'));
        var values = keys.Select(_ => Unique(ValuesPerKey, () => Value(random, type))).ToArray();
        var sentences = Hay switch
        {
            NeedleHay.Noise => Enumerable.Range(0, units).Select(i => Noise[i % Noise.Length]).ToList(),
            NeedleHay.Needles => Unique(units, () => NoteWords.Place(random).Replace(' ', '-') + "-" + NoteWords.Word(random, 2))
                .Select(key => Needle(type, key, Value(random, type))).ToList(),
            _ => Enumerable.Range(0, units).Select(_ => Prose[random.Next(Prose.Count)]).ToList(),
        };
        foreach (var (key, value) in keys.SelectMany((key, i) => values[i].Select(value => (key, value))))
            sentences.Insert(Depth is { } depth ? (int)(depth * sentences.Count) : random.Next(sentences.Count + 1), Needle(type, key, value));
        var asked = keys[..KeysAsked];
        return new RulerProblem(
            $"Some special magic {type}s are hidden within the following text. Make sure to memorize them. I will quiz you about the "
            + $"{type}s afterwards.\n{string.Join(Hay == NeedleHay.Essay ? "\n" : " ", sentences)}\n",
            [new RulerQuestion(
                $"What are all the special magic {type}s for {string.Join(", ", asked)} mentioned in the provided text?",
                [.. values[..KeysAsked].SelectMany(v => v)],
                Evidence: KeysAsked * ValuesPerKey == 1 ? Needle(type, asked[0], values[0][0]) : null)]);
    }

    private static string Needle(string type, string key, string value) => $"One of the special magic {type}s for {key} is: {value}.";

    private static string Value(SeededRandom random, string type) => type switch
    {
        "number" => random.Next(1_000_000, 10_000_000).ToString(CultureInfo.InvariantCulture),
        "word" => NoteWords.Place(random).Replace(' ', '-'),
        _ => string.Join('-', UuidGroups.Select(n => NoteWords.Letters(random, "0123456789abcdef", n))),
    };
}
