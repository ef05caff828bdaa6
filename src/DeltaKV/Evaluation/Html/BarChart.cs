using System.Globalization;

namespace DeltaKV.Evaluation.Html;

/// <summary>Labelled horizontal bars; a second, paler value may reach further than the first.</summary>
internal static class BarChart
{
    private const double Usual = 500;
    private const double Bars = 250;
    private const double RowHeight = 22;

    /// <summary>One row per item, the longest across the whole width; long names make the chart wider.</summary>
    /// <param name="label">What the chart shows, for who cannot see it.</param>
    /// <param name="items">Names, colours and values.</param>
    /// <param name="format">How values are written.</param>
    /// <param name="unit">What stands behind them.</param>
    public static string Draw(string label, IReadOnlyList<(string Name, string Color, double Value, double? Beyond, string Tip)> items, string format, string unit)
    {
        var left = items.Max(i => Svg.WidthOf(i.Name)) + 10;
        var right = 80;
        var width = Math.Max(Usual, left + Bars + right);
        var largest = Math.Max(items.Max(i => Math.Max(i.Value, i.Beyond ?? 0)), 1e-300);
        var svg = new Svg(width, items.Count * RowHeight + 6, label);
        for (var i = 0; i < items.Count; i++)
        {
            var (name, color, value, beyond, tip) = items[i];
            var y = i * RowHeight + 3;
            double Length(double of) => (width - left - right) * of / largest;
            svg.Text(left - 8, y + 14, name, "end");
            if (beyond is { } more && more > value)
                svg.Rect(left, y + 2, Length(more), RowHeight - 6, $"style=\"color:{color}\" fill=\"currentColor\" fill-opacity=\".28\" rx=\"3\"", tip);
            svg.Rect(left, y + 2, Math.Max(1, Length(value)), RowHeight - 6, $"style=\"color:{color}\" fill=\"currentColor\" rx=\"3\"", tip);
            svg.Text(left + Length(Math.Max(value, beyond ?? 0)) + 6, y + 14, $"{value.ToString(format, CultureInfo.InvariantCulture)} {unit}", style: "class=\"strong\"");
        }

        return svg.ToString();
    }
}
