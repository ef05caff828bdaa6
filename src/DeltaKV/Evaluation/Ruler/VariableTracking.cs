using System.Globalization;
using DeltaKV.Evaluation.Notes;
using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Ruler;

/// <summary>RULER's <c>vt</c>: one chain of four hops among noise; all five names that hold the value are asked for.</summary>
internal static class VariableTracking
{
    private const int Hops = 4;

    /// <summary>A problem whose noise has <paramref name="units"/> repetitions.</summary>
    public static RulerProblem Create(SeededRandom random, int units)
    {
        var names = Unique(Hops + 1, () => NoteWords.Letters(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 5));
        var value = random.Next(10_000, 100_000).ToString(CultureInfo.InvariantCulture);
        var sentences = Enumerable.Repeat(
            "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.", units).ToList();
        var places = Enumerable.Range(0, names.Length).Select(_ => random.Next(units + 1)).Order().ToArray();
        for (var i = names.Length - 1; i >= 0; i--)
            sentences.Insert(places[i], i == 0 ? $"VAR {names[0]} = {value}" : $"VAR {names[i]} = VAR {names[i - 1]}");
        return new RulerProblem(
            "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n" + string.Join('\n', sentences) + "\n",
            [new RulerQuestion($"Find all variables that are assigned the value {value} in the text above.", names)]);
    }
}
