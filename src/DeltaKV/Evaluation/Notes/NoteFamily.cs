namespace DeltaKV.Evaluation.Notes;

/// <summary>The kinds of facts and questions needle-16m was trained on.</summary>
internal static class NoteFamily
{
    private static readonly Dictionary<string, Func<SeededRandom, int, NoteSet>> Families = new(StringComparer.Ordinal)
    {
        ["attr"] = AttributeNotes.Create,
        ["json"] = JsonNotes.Create,
        ["var"] = VariableNotes.Create,
        ["multi"] = OwnerNotes.Create,
        ["copy"] = ReportNotes.Create,
        ["walk"] = PathNotes.Create,
    };

    /// <summary>Every family's name.</summary>
    public static IReadOnlyCollection<string> Names => Families.Keys;

    /// <summary>Notes of one family; <paramref name="count"/> is how many facts are wanted.</summary>
    public static NoteSet Create(string family, SeededRandom random, int count) => Families[family](random, count);
}
