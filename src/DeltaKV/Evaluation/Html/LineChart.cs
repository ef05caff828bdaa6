namespace DeltaKV.Evaluation.Html;

/// <summary>Labelled lines through points with intervals, one quantity over another.</summary>
/// <param name="Horizontal">Values to the right; its ends are set when the chart is drawn.</param>
/// <param name="Vertical">Values upwards; the same.</param>
/// <param name="HorizontalTitle">Below.</param>
/// <param name="VerticalTitle">Above the vertical axis.</param>
internal sealed record LineChart(Axis Horizontal, Axis Vertical, string HorizontalTitle, string VerticalTitle)
{
    private const double Width = 1040;
    private const double Height = 420;
    private const double Left = 58;
    private const double Right = 20;
    private const double Top = 30;
    private const double Bottom = 48;
    private const double NameHeight = 15;
    private const double Beside = 6;
    private const int MostBeside = 4;

    /// <summary>Of the points.</summary>
    public double Radius { get; init; } = 4.5;

    /// <summary>A height to compare with.</summary>
    public (double Value, string Text)? Baseline { get; init; }

    /// <summary>For lines that all go from left to right: names stand behind their last points, and points of one place beside each other.</summary>
    public bool IsProfile { get; init; }

    /// <summary>The chart.</summary>
    public string Draw(IReadOnlyList<ChartSeries> series)
    {
        var svg = new Svg(Width, Height, $"{VerticalTitle} over {HorizontalTitle}");
        var margin = IsProfile ? Right + 8 + 1.04 * series.Max(s => Svg.WidthOf(s.Name)) : Right;
        var x = Horizontal with { Start = Left, End = Width - margin };
        var y = Vertical with { Start = Height - Bottom, End = Top };
        Frame(svg, x, y);
        var labels = new LabelPlacer(Left + 2, Top - 12, Width - Right + 8, Height - Bottom - 2);
        double X(int index, ChartPoint point) => x.At(point.X) + (IsProfile && series.Count <= MostBeside ? Beside * (index - (series.Count - 1) / 2.0) : 0);
        foreach (var point in series.SelectMany(s => s.Points))
        {
            labels.Avoid(x.At(point.X), y.At(point.Y), Radius + 1);
            if (point.High > point.Low)
                labels.Avoid((x.At(point.X), y.At(point.Low)), (x.At(point.X), y.At(point.High)));
        }

        foreach (var points in series.Select(s => s.Points))
        {
            for (var i = 1; i < points.Count; i++)
                labels.Avoid((x.At(points[i - 1].X), y.At(points[i - 1].Y)), (x.At(points[i].X), y.At(points[i].Y)));
        }

        if (Baseline is { } baseline)
        {
            labels.Avoid((Left, y.At(baseline.Value)), (Width - Right, y.At(baseline.Value)));
            svg.Line(Left, y.At(baseline.Value), Width - Right, y.At(baseline.Value), "class=\"base\"");
            if (labels.Place([(Left, y.At(baseline.Value))], baseline.Text) is { } place)
                svg.Text(place.X, place.Y, baseline.Text);
        }

        for (var index = 0; index < series.Count; index++)
        {
            var line = series[index];
            svg.Group($"style=\"color:{line.Color}\" stroke=\"currentColor\" fill=\"currentColor\"");
            if (line.Points.Count > 1)
                svg.Polyline(line.Points.Select(p => (X(index, p), y.At(p.Y))), "stroke-width=\"2\" stroke-linejoin=\"round\"");
            foreach (var point in line.Points)
            {
                svg.Group("", point.Tip);
                if (point.High > point.Low)
                    svg.Line(X(index, point), y.At(point.Low), X(index, point), y.At(point.High), "stroke-opacity=\".45\" stroke-width=\"2\"");
                svg.Circle(X(index, point), y.At(point.Y), Radius, "stroke=\"var(--card)\" stroke-width=\"1\"");
                svg.EndGroup();
            }

            svg.EndGroup();
        }

        if (IsProfile)
            NamesBehind(svg, x, y, series);
        // Lines before single points: there are fewer of them, and they say more.
        foreach (var line in series.Where(_ => !IsProfile).OrderByDescending(s => s.Points.Count))
        {
            if (labels.Place([.. line.Points.Select(p => (x.At(p.X), y.At(p.Y)))], line.Name) is { } place)
            {
                if (place.Leader is { } leader)
                    svg.Line(leader.X1, leader.Y1, leader.X2, leader.Y2, $"style=\"color:{line.Color}\" stroke=\"currentColor\" stroke-opacity=\".5\"");
                svg.Text(place.X, place.Y, line.Name, style: $"class=\"name\" style=\"color:{line.Color}\"");
            }
        }

        return svg.ToString();
    }

    /// <summary>Names at the right, as close to their lines' ends as they may stand apart; of more than fit, every so many-th.</summary>
    private static void NamesBehind(Svg svg, Axis x, Axis y, IReadOnlyList<ChartSeries> series)
    {
        var room = (int)((y.Start - y.End) / NameHeight);
        var every = (series.Count + room - 1) / room;
        var names = series.Where((s, i) => i % every == 0 && s.Points.Count > 0).OrderBy(s => y.At(s.Points[^1].Y)).ToArray();
        var places = names.Select(s => y.At(s.Points[^1].Y)).ToArray();
        for (var i = 1; i < places.Length; i++)
            places[i] = Math.Max(places[i], places[i - 1] + NameHeight);
        for (var (i, limit) = (places.Length - 1, y.Start); i >= 0 && places[i] > limit; i--, limit -= NameHeight)
            places[i] = limit;
        for (var i = 0; i < names.Length; i++)
            svg.Text(x.End + 10, places[i] + 4, names[i].Name, style: $"class=\"name\" style=\"color:{names[i].Color}\"");
    }

    private void Frame(Svg svg, Axis x, Axis y)
    {
        foreach (var (value, text) in x.Ticks())
        {
            svg.Line(x.At(value), y.Start, x.At(value), y.End, "class=\"axis\"");
            svg.Text(x.At(value), y.Start + 18, text, "middle");
        }

        foreach (var (value, text) in y.Ticks())
        {
            svg.Line(x.Start, y.At(value), x.End, y.At(value), "class=\"axis\"");
            svg.Text(x.Start - 8, y.At(value) + 4, text, "end");
        }

        svg.Text((x.Start + x.End) / 2, Height - 8, HorizontalTitle, "middle");
        svg.Text(8, 13, VerticalTitle);
    }
}
