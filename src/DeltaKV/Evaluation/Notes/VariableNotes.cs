using System.Globalization;
using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Notes;

/// <summary><c>var</c>: assignments that may name earlier ones ("VAR B = VAR A"), up to three hops.</summary>
internal static class VariableNotes
{
    private const string Capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    public static NoteSet Create(SeededRandom random, int count)
    {
        var names = Unique(count, () => NoteWords.Letters(random, Capitals, 3));
        var values = new string[count];
        var hops = new int[count];
        var notes = new string[count];
        for (var i = 0; i < count; i++)
        {
            if (i > 0 && random.NextDouble() < 0.45)
            {
                var source = random.Next(Math.Max(0, i - 12), i);
                if (hops[source] < 2)
                {
                    (values[i], hops[i]) = (values[source], hops[source] + 1);
                    notes[i] = $"VAR {names[i]} = VAR {names[source]}";
                    continue;
                }
            }

            values[i] = random.Next(10_000, 100_000).ToString(CultureInfo.InvariantCulture);
            notes[i] = $"VAR {names[i]} = {values[i]}";
        }

        return new NoteSet(notes, [.. names.Select((name, i) => new NoteQuestion($"What is the value of VAR {name}?", values[i], i))]);
    }
}
