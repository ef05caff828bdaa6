using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Notes;

/// <summary><c>json</c>: random hexadecimal keys and values, the highest entropy of all families.</summary>
internal static class JsonNotes
{
    private const string Hexadecimal = "0123456789abcdef";

    public static NoteSet Create(SeededRandom random, int count)
    {
        var pairs = Unique(count, () => NoteWords.Letters(random, Hexadecimal, 8))
            .Select(key => (Key: key, Value: NoteWords.Letters(random, Hexadecimal, 8))).ToArray();
        return new NoteSet(
            [.. pairs.Select(p => $$"""{"id": "{{p.Key}}", "value": "{{p.Value}}"}""")],
            [.. pairs.Select((p, i) => new NoteQuestion($"What is the value of id \"{p.Key}\"?", p.Value, i))]);
    }
}
