using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Notes;

/// <summary><c>attr</c>: one attribute each of many places ("The access code of the amber falcon is 48213.").</summary>
internal static class AttributeNotes
{
    private static readonly Attribute[] Attributes =
    [
        new(r => Invariant(r.Next(10_000, 100_000)),
            ["The access code of the {e} is {v}.", "To enter the {e}, use the access code {v}."],
            ["What is the access code of the {e}?", "Tell me the access code of the {e}."]),
        new(r => r.Pick<string>(NoteWords.Cities),
            ["The {e} is located in {v}.", "You can find the {e} in the city of {v}."],
            ["Where is the {e} located?", "In which city is the {e}?"]),
        new(r => r.Pick<string>(NoteWords.Colors),
            ["The {e} was painted {v}.", "The color of the {e} is {v}."],
            ["What color is the {e}?", "What is the color of the {e}?"]),
        new(r => NoteWords.Word(r, r.Next(2, 4)),
            ["The password of the {e} is {v}.", "Anyone visiting the {e} must say the password {v}."],
            ["What is the password of the {e}?", "Which password opens the {e}?"]),
        new(r => Invariant(r.Next(100, 1000)),
            ["The records of the {e} are kept in room {v}.", "Room {v} holds the records of the {e}."],
            ["Which room holds the records of the {e}?", "In which room are the records of the {e}?"]),
        new(r => r.Pick<string>(NoteWords.Metals),
            ["The roof of the {e} is made of {v}.", "The builders of the {e} used {v} for its roof."],
            ["What is the roof of the {e} made of?", "Which metal covers the roof of the {e}?"]),
        new(NoteWords.Name,
            ["The keeper of the {e} is {v}.", "{v} is the keeper of the {e}."],
            ["Who is the keeper of the {e}?", "Name the keeper of the {e}."]),
    ];

    public static NoteSet Create(SeededRandom random, int count)
    {
        var notes = new List<string>();
        var questions = new List<NoteQuestion>();
        foreach (var place in Unique(count, () => NoteWords.Place(random)))
        {
            var attribute = random.Pick<Attribute>(Attributes);
            var value = attribute.Value(random);
            notes.Add(random.Pick<string>(attribute.Statements).Replace("{e}", place, StringComparison.Ordinal)
                .Replace("{v}", value, StringComparison.Ordinal));
            questions.Add(new NoteQuestion(random.Pick<string>(attribute.Questions).Replace("{e}", place, StringComparison.Ordinal), value, questions.Count));
        }

        return new NoteSet(notes, questions);
    }

    private static string Invariant(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private sealed record Attribute(Func<SeededRandom, string> Value, string[] Statements, string[] Questions);
}
