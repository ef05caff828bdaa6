namespace DeltaKV.Evaluation.Ruler;

/// <summary>The tasks that need no download, by name.</summary>
internal static class RulerTask
{
    private static readonly Dictionary<string, Func<SeededRandom, int, RulerProblem>> Tasks = new(StringComparer.Ordinal)
    {
        ["niah-single-noise"] = new NeedleHaystack(NeedleHay.Noise, 1, 1, 1).Create,
        ["niah-single-essay"] = new NeedleHaystack(NeedleHay.Essay, 1, 1, 1).Create,
        ["niah-multikey-essay"] = new NeedleHaystack(NeedleHay.Essay, 4, 1, 1).Create,
        ["niah-multikey-needles"] = new NeedleHaystack(NeedleHay.Needles, 1, 1, 1).Create,
        ["niah-multivalue"] = new NeedleHaystack(NeedleHay.Essay, 1, 4, 1).Create,
        ["niah-multiquery"] = new NeedleHaystack(NeedleHay.Essay, 4, 1, 4).Create,
        ["vt"] = VariableTracking.Create,
        ["cwe"] = WordCounting.Common,
        ["fwe"] = WordCounting.Frequent,
        ["kv"] = KeyValueRetrieval.Pairs,
        ["passkey"] = KeyValueRetrieval.Passkey,
        ["prefix-suffix"] = KeyValueRetrieval.PrefixSuffix,
        ["multi-turn"] = KeyValueRetrieval.Conversation,
    };

    /// <summary>Every task's name.</summary>
    public static IReadOnlyCollection<string> Names => Tasks.Keys;

    /// <summary>A problem of one task with so many units of haystack.</summary>
    public static RulerProblem Create(string task, SeededRandom random, int units) => Tasks[task](random, units);
}
