using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Notes;

/// <summary><c>walk</c>: a ring of places and walks along it: chains of up to 24 look-ups, each depending on the last.</summary>
internal static class PathNotes
{
    private const int LargestRing = 60;

    public static NoteSet Create(SeededRandom random, int count)
    {
        count = Math.Clamp(count, 4, LargestRing);
        var places = Unique(count, () => NoteWords.Name(random));
        var ring = random.Sample<string>(places, count);
        var next = ring.Select((place, i) => (place, following: ring[(i + 1) % count])).ToDictionary(p => p.place, p => p.following);
        var order = random.Sample<string>(places, count);
        var notes = order
            .Select(a => random.Pick($"From {a} the path leads to {next[a]}.", $"The path from {a} goes to {next[a]}.")).ToArray();
        var questions = Enumerable.Range(0, Math.Max(1, count / 8)).Select(_ =>
        {
            var start = random.Pick<string>(places);
            var steps = random.Pick(2, 3, 4, 6, 8, 12, 16, 24);
            var stops = new List<string>();
            for (var place = next[start]; stops.Count < steps; place = next[place])
                stops.Add(place);
            return new NoteQuestion($"Start at {start} and take {steps} steps.", $"{string.Join(' ', stops)}. The walk ends at {stops[^1]}.", Array.IndexOf(order, start));
        }).ToArray();
        return new NoteSet(notes, questions);
    }
}
