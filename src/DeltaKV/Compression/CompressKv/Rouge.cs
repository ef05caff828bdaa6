using System.Text.RegularExpressions;

namespace DeltaKV.Compression.CompressKv;

/// <summary>ROUGE-1: which share of a reference's words, counted with repetition and without case, an answer has.</summary>
/// <remarks>Source: Lin, 2004.</remarks>
internal static partial class Rouge
{
    /// <summary>0 to 1; 1 for an empty reference.</summary>
    public static double Recall(string answer, string reference)
    {
        var available = Counts(answer);
        var wanted = Counts(reference);
        var total = wanted.Values.Sum();
        return total == 0 ? 1 : wanted.Sum(pair => Math.Min(pair.Value, available.GetValueOrDefault(pair.Key))) / (double)total;
    }

    private static Dictionary<string, int> Counts(string text) => Words().Matches(text.ToLowerInvariant())
        .GroupBy(match => match.Value, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);

    [GeneratedRegex(@"[\p{L}\p{N}]+")]
    private static partial Regex Words();
}
