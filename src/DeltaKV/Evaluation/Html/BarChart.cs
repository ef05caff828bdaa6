using System.Globalization;
using System.Text;

namespace DeltaKV.Evaluation.Html;

/// <summary>Labelled horizontal bars, as SVG.</summary>
internal static class BarChart
{
    private const int RowHeight = 24;
    private const int LabelWidth = 260;
    private const int BarWidth = 560;

    /// <summary>One bar per item, the longest across the whole width.</summary>
    public static string Svg(IReadOnlyList<(string Label, double Value)> items)
    {
        var largest = Math.Max(items.Max(i => i.Value), double.Epsilon);
        var svg = new StringBuilder(Invariant($"<svg viewBox=\"0 0 900 {items.Count * RowHeight + 8}\" role=\"img\">"));
        for (var i = 0; i < items.Count; i++)
        {
            var (label, value) = items[i];
            var y = i * RowHeight + 4;
            var width = BarWidth * value / largest;
            svg.Append(Invariant($"<text x=\"{LabelWidth - 8}\" y=\"{y + 15}\" text-anchor=\"end\">{EvaluationHtml.Escape(label)}</text>"))
                .Append(Invariant($"<rect x=\"{LabelWidth}\" y=\"{y}\" width=\"{width:F1}\" height=\"{RowHeight - 6}\" rx=\"2\" fill=\"hsl(212 60% 52%)\"/>"))
                .Append(Invariant($"<text x=\"{LabelWidth + width + 6:F1}\" y=\"{y + 15}\">{value:G4}</text>"));
        }

        return svg.Append("</svg>").ToString();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
