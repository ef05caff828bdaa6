using System.Globalization;
using DeltaKV.Evaluation.Notes;
using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Ruler;

/// <summary>RULER's aggregation tasks: which words come up most often.</summary>
internal static class WordCounting
{
    private const int CommonWords = 10;

    /// <summary><c>cwe</c>: ten words thirty times each among <paramref name="units"/> words three times each.</summary>
    public static RulerProblem Common(SeededRandom random, int units)
    {
        var words = Unique(CommonWords + units, () => NoteWords.Word(random, 2));
        var list = words.SelectMany((word, i) => Enumerable.Repeat(word, i < CommonWords ? 30 : 3)).ToArray();
        random.Shuffle<string>(list);
        return new RulerProblem(
            "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that appear most often.\n"
            + string.Join(' ', list.Select((word, i) => string.Create(CultureInfo.InvariantCulture, $"{i + 1}. {word}"))) + "\n",
            [new RulerQuestion("What are the 10 most common words in the above list?", words[..CommonWords])]);
    }

    /// <summary><c>fwe</c>: coded words whose frequency falls with the square of their rank; the top three are asked for.</summary>
    public static RulerProblem Frequent(SeededRandom random, int units)
    {
        var words = Unique(30, () => NoteWords.Letters(random, "abcdefghijklmnopqrstuvwxyz", 6));
        var total = Enumerable.Range(1, words.Length).Sum(rank => 1.0 / (rank * rank));
        var text = words.SelectMany((word, i) => Enumerable.Repeat(word, (int)Math.Ceiling(units / total / ((i + 1) * (i + 1))))).ToList();
        while (text.Count < units * 1.2)
            text.Add("...");
        var list = text.ToArray();
        random.Shuffle<string>(list);
        return new RulerProblem(
            "Read the following coded text and track the frequency of each coded word. Find the three most frequently appeared coded words.\n"
            + string.Join(' ', list) + "\n",
            [new RulerQuestion(
                "Do not provide any explanation. Please ignore the dots '....'. What are the three most frequently appeared words in the "
                + "above coded text?", words[..3])]);
    }
}
