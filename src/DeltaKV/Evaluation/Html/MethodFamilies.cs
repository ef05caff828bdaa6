using System.Text.RegularExpressions;
using DeltaKV.Compression;

namespace DeltaKV.Evaluation.Html;

/// <summary>Which methods are settings of one and the same, to be joined by a line, and in what colour.</summary>
/// <remarks>By name: settings after a colon and numbers at the end do not count, so <c>kivi-8</c> and <c>kivi-4</c>, or <c>snapkv:share=25</c> and
/// <c>snapkv:share=12</c>, are one family; <c>snapkv:share=25+kivi-4</c> is of another.</remarks>
internal sealed partial class MethodFamilies(IReadOnlyList<string> methods)
{
    private const string Favourite = "deltakv";
    private const int Colors = 14;

    /// <summary>The families in the order they are first named, the baseline left out.</summary>
    public IReadOnlyList<string> Names { get; } = [.. methods.Select(Of).Where(f => f != EvaluationRunner.Baseline).Distinct()];

    /// <summary>A method's family.</summary>
    public static string Of(string method)
    {
        var name = string.Join('+', KvComposition.Split(method).Select(part => part.Split(':')[0].Trim()));
        var trimmed = Settings().Replace(name, "");
        return trimmed.Length > 0 ? trimmed : name;
    }

    /// <summary>A family's colour: DeltaKV's is always the same.</summary>
    public string Color(string family)
    {
        if (family == EvaluationRunner.Baseline)
            return "var(--dim)";
        if (family == Favourite)
            return "var(--c0)";
        var index = Names.Where(n => n != Favourite).ToList().IndexOf(family);
        return $"var(--c{1 + index % Colors})";
    }

    [GeneratedRegex(@"([-_ @]?\d+([.,]\d+)?( ?%| ?bytes?| ?bits?)?)+$")]
    private static partial Regex Settings();
}
