using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Notes;

/// <summary><c>multi</c>: two to four belongings per person, to be listed in the order they were told.</summary>
internal static class OwnerNotes
{
    public static NoteSet Create(SeededRandom random, int count)
    {
        var owners = Unique(Math.Max(1, count / 3), () => NoteWords.Name(random));
        var belongings = owners
            .SelectMany(owner => random.Sample<string>(NoteWords.Items, random.Next(2, 5)).Select(item => (Owner: owner, Item: item)))
            .ToArray();
        random.Shuffle<(string, string)>(belongings);
        return new NoteSet(
            [.. belongings.Select(b => random.Pick($"{b.Owner} owns a {b.Item}.", $"A {b.Item} belongs to {b.Owner}."))],
            [.. belongings.Select((b, i) => (b.Owner, b.Item, Note: i)).GroupBy(b => b.Owner)
                .Select(g => new NoteQuestion($"List everything that {g.Key} owns.", string.Join(", ", g.Select(b => b.Item)), g.First().Note))]);
    }
}
