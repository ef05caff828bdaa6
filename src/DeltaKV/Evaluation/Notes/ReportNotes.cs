using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Notes;

/// <summary><c>copy</c>: one-line reports to be repeated word for word.</summary>
internal static class ReportNotes
{
    public static NoteSet Create(SeededRandom random, int count)
    {
        var places = Unique(count, () => NoteWords.Place(random));
        var reports = places.Select(place => string.Join(' ',
            $"Report on the {place}:", NoteWords.Place(random) + ",", NoteWords.Word(random, 2), random.Pick<string>(NoteWords.Cities),
            random.Next(10, 1000), random.Pick<string>(NoteWords.Items), random.Pick<string>(NoteWords.Colors)) + ".").ToArray();
        return new NoteSet(reports, [.. places.Select((place, i) => new NoteQuestion($"Repeat the report on the {place}.", reports[i], i))]);
    }
}
