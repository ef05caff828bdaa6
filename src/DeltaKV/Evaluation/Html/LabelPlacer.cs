namespace DeltaKV.Evaluation.Html;

/// <summary>Finds room for labels beside their points, so that none covers another, a point, or leaves the picture.</summary>
internal sealed class LabelPlacer(double left, double top, double right, double bottom)
{
    private const double LineHeight = 15;
    private const double Gap = 8;

    private readonly List<(double X, double Y, double Width, double Height)> taken = [];
    private readonly List<(double X, double Y, double Width, double Height)> crossed = [];

    /// <summary>Keeps labels off a point.</summary>
    public void Avoid(double x, double y, double radius) => taken.Add((x - radius, y - radius, 2 * radius, 2 * radius));

    /// <summary>Keeps labels off a line between two points, as far as there is room elsewhere.</summary>
    public void Avoid((double X, double Y) from, (double X, double Y) to)
    {
        const double Radius = 1.5;
        var steps = Math.Max(1, (int)(Math.Max(Math.Abs(to.X - from.X), Math.Abs(to.Y - from.Y)) / 6));
        for (var i = 0; i <= steps; i++)
            crossed.Add((from.X + (to.X - from.X) * i / steps - Radius, from.Y + (to.Y - from.Y) * i / steps - Radius, 2 * Radius, 2 * Radius));
    }

    /// <summary>Where to put a label: beside the first of the anchors that has room, in growing distance; over lines only if there is none; null if points and labels fill it all.</summary>
    public LabelPlace? Place(IReadOnlyList<(double X, double Y)> anchors, string text) => Place(anchors, text, isOverLines: false) ?? Place(anchors, text, isOverLines: true);

    private LabelPlace? Place(IReadOnlyList<(double X, double Y)> anchors, string text, bool isOverLines)
    {
        // Names are bold.
        var width = 1.04 * Svg.WidthOf(text);
        for (var ring = 1; ring <= 8; ring++)
        {
            foreach (var (x, y) in anchors)
            {
                foreach (var (dx, dy) in Offsets(width, ring))
                {
                    var box = (X: x + dx, Y: y + dy - LineHeight / 2, Width: width, Height: LineHeight);
                    if (box.X < left || box.X + width > right || box.Y < top || box.Y + LineHeight > bottom || taken.Any(other => Overlaps(box, other)) || !isOverLines && crossed.Any(other => Overlaps(box, other)))
                        continue;
                    taken.Add(box);
                    var nearest = (X: Math.Clamp(x, box.X, box.X + width), Y: Math.Clamp(y, box.Y + 2, box.Y + LineHeight - 2));
                    return new LabelPlace(box.X, box.Y + LineHeight - 4, Math.Abs(nearest.X - x) + Math.Abs(nearest.Y - y) > 2 * Gap ? (x, y, nearest.X, nearest.Y) : null);
                }
            }
        }

        return null;
    }

    private static IEnumerable<(double, double)> Offsets(double width, int ring)
    {
        var far = (ring - 1) * LineHeight * 0.5;
        yield return (Gap, far);
        yield return (Gap, -far);
        yield return (-Gap - width, far);
        yield return (-Gap - width, -far);
        yield return (-width / 2, -Gap - LineHeight / 2 - far);
        yield return (-width / 2, Gap + LineHeight / 2 + far);
    }

    private static bool Overlaps((double X, double Y, double Width, double Height) a, (double X, double Y, double Width, double Height) b) =>
        a.X < b.X + b.Width && b.X < a.X + a.Width && a.Y < b.Y + b.Height && b.Y < a.Y + a.Height;
}
