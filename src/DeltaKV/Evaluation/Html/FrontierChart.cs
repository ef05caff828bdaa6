using System.Globalization;
using System.Text;

namespace DeltaKV.Evaluation.Html;

/// <summary>Accuracy over the share of bytes, as SVG.</summary>
internal static class FrontierChart
{
    private const double Width = 900;
    private const double Height = 340;
    private const double Margin = 44;
    private static readonly double[] Shares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

    /// <summary>The chart of some methods.</summary>
    public static string Svg(IReadOnlyList<MethodSummary> methods)
    {
        var smallest = Math.Min(0.02, methods.Min(m => m.Ratio) * 0.8);
        double X(double ratio) => Margin + (Width - 2 * Margin) * (Math.Log(ratio) - Math.Log(smallest)) / -Math.Log(smallest);
        double Y(double accuracy) => Height - Margin - (Height - 2 * Margin) * Math.Clamp(accuracy, 0, 1);
        var svg = new StringBuilder(Invariant($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\">"));
        foreach (var share in Shares.Where(s => s >= smallest))
        {
            svg.Append(Invariant($"<line class=\"axis\" x1=\"{X(share):F1}\" x2=\"{X(share):F1}\" y1=\"{Y(1):F1}\" y2=\"{Y(0):F1}\"/>"))
                .Append(Invariant($"<text x=\"{X(share):F1}\" y=\"{Height - Margin + 18:F1}\" text-anchor=\"middle\">{100 * share:G3} %</text>"));
        }

        for (var tenth = 0; tenth <= 10; tenth += 2)
        {
            svg.Append(Invariant($"<line class=\"axis\" x1=\"{Margin}\" x2=\"{Width - Margin}\" y1=\"{Y(tenth / 10.0):F1}\" y2=\"{Y(tenth / 10.0):F1}\"/>"))
                .Append(Invariant($"<text x=\"{Margin - 8}\" y=\"{Y(tenth / 10.0) + 4:F1}\" text-anchor=\"end\">{10 * tenth}</text>"));
        }

        for (var i = 0; i < methods.Count; i++)
        {
            var (m, hue) = (methods[i], 360 * i / methods.Count);
            svg.Append(Invariant($"<g stroke=\"hsl({hue} 70% 48%)\" fill=\"hsl({hue} 70% 48%)\"><title>{EvaluationHtml.Escape(m.Method)}: "))
                .Append(Invariant($"{100 * m.Accuracy:F1} % at {100 * m.Ratio:F1} %</title><circle cx=\"{X(m.Ratio):F1}\" cy=\"{Y(m.Accuracy):F1}\" r=\"5\"/>"))
                .Append(Invariant($"<line x1=\"{X(m.Ratio):F1}\" x2=\"{X(m.Ratio):F1}\" y1=\"{Y(m.Low):F1}\" y2=\"{Y(m.High):F1}\"/></g>"))
                .Append(Invariant($"<text x=\"{X(m.Ratio) + 9:F1}\" y=\"{Y(m.Accuracy) + 4 + 13 * (i % 3):F1}\">{EvaluationHtml.Escape(m.Method)}</text>"));
        }

        return svg.Append("</svg>").ToString();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
