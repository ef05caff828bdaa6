using System.Globalization;
using System.Text.Json;
using DeltaKV.Evaluation.Notes;
using static DeltaKV.Evaluation.SeededRandom;

namespace DeltaKV.Evaluation.Ruler;

/// <summary>Look-ups in random strings: the tasks on which lossy caches fail first.</summary>
internal static class KeyValueRetrieval
{
    private const string Alphabet = "0123456789abcdef";
    private const int Turns = 5;

    /// <summary><c>kv</c>: a JSON object of <paramref name="units"/> random pairs, of which several are asked for one by one.</summary>
    public static RulerProblem Pairs(SeededRandom random, int units)
    {
        var pairs = Unique(Math.Max(units, Turns), () => Identifier(random)).Select(key => (Key: key, Value: Identifier(random))).ToArray();
        return new RulerProblem(
            "Extract the value corresponding to the specified key in the JSON object below.\n\n"
            + JsonSerializer.Serialize(pairs.ToDictionary(p => p.Key, p => p.Value)) + "\n",
            [.. random.Sample<(string Key, string Value)>(pairs, Turns)
                .Select(p => new RulerQuestion($"What is the value of key \"{p.Key}\"? Answer with the value only.", [p.Value], 64, $"\"{p.Key}\":\"{p.Value}\""))]);
    }

    /// <summary><c>passkey</c>: five digits in <paramref name="units"/> repetitions of noise.</summary>
    public static RulerProblem Passkey(SeededRandom random, int units)
    {
        var key = random.Next(10_000, 100_000).ToString(CultureInfo.InvariantCulture);
        var lines = Enumerable.Repeat(
            "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.", units).ToList();
        var needle = $"The pass key is {key}. Remember it. {key} is the pass key.";
        lines.Insert(random.Next(units + 1), needle);
        return new RulerProblem(
            "There is an important info hidden inside a lot of irrelevant text. Find it and memorize it. I will quiz you about the important "
            + "information there.\n" + string.Join('\n', lines) + "\n",
            [new RulerQuestion("What is the pass key?", [key], 32, needle)]);
    }

    /// <summary><c>prefix-suffix</c>: strings of which the beginning and the end are given and the whole is asked for.</summary>
    public static RulerProblem PrefixSuffix(SeededRandom random, int units)
    {
        var strings = Unique(Math.Max(units, Turns), () => NoteWords.Letters(random, "abcdefghijklmnopqrstuvwxyz0123456789", 48));
        return new RulerProblem(
            "Dictionary:\n" + string.Join('\n', strings) + "\n",
            [.. random.Sample<string>(strings, Turns).Select(s => new RulerQuestion(
                $"Find the dictionary entry that starts with {s[..10]} and ends with {s[^10..]}. Answer with the whole entry only.", [s], 96, s))]);
    }

    /// <summary><c>multi-turn</c>: the same look-ups as one conversation, each question after the answers before it.</summary>
    public static RulerProblem Conversation(SeededRandom random, int units) => Pairs(random, units) with { Conversation = true };

    private static string Identifier(SeededRandom random) => NoteWords.Letters(random, Alphabet, 32);
}
