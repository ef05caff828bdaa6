using System.Globalization;
using System.Net;
using System.Text;

namespace DeltaKV.Evaluation.Html;

/// <summary>A drawing that becomes inline SVG. Colours are the page's CSS variables, so that it follows light and dark.</summary>
internal sealed class Svg(double width, double height, string label)
{
    private readonly StringBuilder text = new();

    /// <summary>Text made safe for markup.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(text);

    /// <summary>What a pointer is told, as an attribute.</summary>
    public static string Tip(string? tip) => tip is null ? "" : $" data-tip=\"{Escape(tip).Replace("\n", "&#10;", StringComparison.Ordinal)}\"";

    /// <summary>About how wide text of the page's size is, in the widest of the fonts that browsers choose.</summary>
    public static double WidthOf(string text) => 7.3 * text.Length;

    public void Line(double x1, double y1, double x2, double y2, string style) =>
        Append($"<line x1=\"{x1:F1}\" y1=\"{y1:F1}\" x2=\"{x2:F1}\" y2=\"{y2:F1}\" {style}/>");

    public void Text(double x, double y, string content, string anchor = "start", string style = "") =>
        Append($"<text x=\"{x:F1}\" y=\"{y:F1}\" text-anchor=\"{anchor}\" {style}>{Escape(content)}</text>");

    public void Rect(double x, double y, double w, double h, string style, string? tip = null) =>
        Append($"<rect x=\"{x:F1}\" y=\"{y:F1}\" width=\"{Math.Max(0, w):F1}\" height=\"{Math.Max(0, h):F1}\" {style}{Tip(tip)}/>");

    public void Circle(double x, double y, double radius, string style) => Append($"<circle cx=\"{x:F1}\" cy=\"{y:F1}\" r=\"{radius:F1}\" {style}/>");

    public void Polyline(IEnumerable<(double X, double Y)> points, string style) =>
        Append($"<polyline points=\"{string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:F1},{p.Y:F1}")))}\" fill=\"none\" {style}/>");

    /// <summary>Begins a group; <see cref="EndGroup"/> ends it.</summary>
    public void Group(string style, string? tip = null) => Append($"<g {style}{Tip(tip)}>");

    public void EndGroup() => text.Append("</g>");

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {width:F0} {height:F0}\" style=\"max-width:{width:F0}px\" role=\"img\" aria-label=\"{Escape(label)}\">{text}</svg>");

    private void Append(FormattableString piece) => text.Append(piece.ToString(CultureInfo.InvariantCulture));
}
