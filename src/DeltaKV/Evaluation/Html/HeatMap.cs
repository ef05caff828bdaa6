using System.Globalization;

namespace DeltaKV.Evaluation.Html;

/// <summary>A grid of coloured cells with their figures: red for nothing over yellow to green for everything, or one hue getting stronger.</summary>
/// <param name="Rows">Names of the rows, from above.</param>
/// <param name="Columns">Names of the columns.</param>
internal sealed record HeatMap(IReadOnlyList<string> Rows, IReadOnlyList<string> Columns)
{
    private const double HeaderHeight = 22;

    /// <summary>A cell's size.</summary>
    public (double Width, double Height) Cell { get; init; } = (46, 26);

    /// <summary>Above the names of the columns.</summary>
    public string Title { get; init; } = "";

    /// <summary>How a figure is written.</summary>
    public string Format { get; init; } = "F0";

    /// <summary>Written figures are this many times the values.</summary>
    public double Scale { get; init; } = 100;

    /// <summary>Strength of one hue instead of red to green.</summary>
    public bool IsStrength { get; init; }

    /// <summary>Between cells.</summary>
    public double Gap { get; init; } = 2;

    /// <summary>How wide cells must be for the names above them.</summary>
    public static double CellFor(IReadOnlyList<string> columns) => Math.Max(46, columns.Max(Svg.WidthOf) + 8);

    /// <summary>How wide a grid with such cells is.</summary>
    public static double WidthOf(IReadOnlyList<string> rows, IReadOnlyList<string> columns) => rows.Max(Svg.WidthOf) + columns.Count * CellFor(columns);

    /// <summary>The grid.</summary>
    /// <param name="values">0 to 1 by row and column; null where there is nothing.</param>
    /// <param name="tip">What a pointer is told of a cell.</param>
    public string Draw(Func<int, int, double?> values, Func<int, int, string> tip)
    {
        var left = Rows.Max(Svg.WidthOf) + 14;
        var top = (Columns.Any(c => c.Length > 0) ? HeaderHeight : 0) + (Title.Length > 0 ? 16 : 0);
        var svg = new Svg(left + Columns.Count * Cell.Width + 4, top + Rows.Count * Cell.Height + 4, Title);
        if (Title.Length > 0)
            svg.Text(left, 13, Title);
        for (var column = 0; column < Columns.Count; column++)
            svg.Text(left + (column + 0.5) * Cell.Width, top - 6, Columns[column], "middle");
        for (var row = 0; row < Rows.Count; row++)
        {
            var y = top + row * Cell.Height;
            svg.Text(left - 8, y + Cell.Height / 2 + 4, Rows[row], "end");
            for (var column = 0; column < Columns.Count; column++)
                Draw(svg, left + column * Cell.Width, y, values(row, column), tip(row, column));
        }

        return svg.ToString();
    }

    private void Draw(Svg svg, double x, double y, double? value, string tip)
    {
        svg.Rect(x + Gap / 2, y + Gap / 2, Cell.Width - Gap, Cell.Height - Gap, value is { } v ? Fill(v) : $"class=\"none\" {Corners}", tip);
        if (value is not { } number || Format.Length == 0)
            return;
        var text = (Scale * number).ToString(Format, CultureInfo.InvariantCulture);
        svg.Text(x + Cell.Width / 2, y + Cell.Height / 2 + 4, text, "middle", "class=\"strong\" pointer-events=\"none\"");
    }

    private string Corners => Gap > 0 ? "rx=\"3\"" : "";

    private string Fill(double value) => IsStrength
        ? string.Create(CultureInfo.InvariantCulture, $"fill=\"var(--accent)\" fill-opacity=\"{0.06 + 0.84 * Math.Clamp(value, 0, 1):F2}\" {Corners}")
        : string.Create(CultureInfo.InvariantCulture, $"class=\"cell\" style=\"--h:{4 + 138 * Math.Clamp(value, 0, 1):F0}\" {Corners}");
}
