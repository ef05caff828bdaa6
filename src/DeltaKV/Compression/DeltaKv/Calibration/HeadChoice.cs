using System.Collections.Immutable;
using System.Globalization;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Which heads keep history: all, those that calibration finds to need it, or as a table says.</summary>
/// <param name="Loss">Share of what history changes in all outputs that may be lost; null: no head is looked for.</param>
/// <param name="Named">The table, where one is given.</param>
internal sealed record HeadChoice(double? Loss = null, HeadTable? Named = null)
{
    private const double UsualLoss = 0.05;

    /// <summary>All heads are coded alike.</summary>
    public static HeadChoice All { get; } = new();

    /// <summary>Reads <c>all</c>, <c>table</c>, <c>table:PERCENT</c>, a table or a file that has one.</summary>
    /// <exception cref="ArgumentException">It has another form.</exception>
    public static HeadChoice Parse(string text)
    {
        const string automatic = "table";
        if (text == "all")
            return All;
        if (text == automatic)
            return new HeadChoice(UsualLoss);
        if (!text.StartsWith(automatic + ":", StringComparison.Ordinal))
            return new HeadChoice(null, HeadTable.Read(text));
        return double.TryParse(text.AsSpan(automatic.Length + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent) && percent is >= 0 and < 100
            ? new HeadChoice(percent / 100)
            : throw new ArgumentException($"'{text}' is no choice of heads; after '{automatic}:' comes the percentage that may be lost.");
    }

    /// <summary>The table of a model.</summary>
    /// <param name="losses">By layer and head, what goes wrong without history; null for layers whose history is not coded.</param>
    /// <param name="heads">KV heads.</param>
    /// <param name="observers">Layers that need history to choose from.</param>
    public HeadTable Table(IReadOnlyList<IReadOnlyList<double>?> losses, int heads, IReadOnlyCollection<int> observers)
    {
        if (Named is not null)
        {
            Named.RequireModel(losses.Count, heads);
            return new HeadTable(Named.Layers.Select((row, layer) => losses[layer] is null ? Enumerable.Repeat(HeadTreatment.Coded, heads).ToImmutableArray() : row));
        }

        var left = (Loss ?? 0) * losses.Sum(layer => layer?.Sum() ?? 0);
        var pairs = losses.SelectMany((layer, l) => (layer ?? []).Select((loss, h) => (Loss: loss, Layer: l, Head: h)));
        var window = new HashSet<(int Layer, int Head)>();
        foreach (var pair in pairs.OrderBy(pair => pair.Loss))
        {
            left -= pair.Loss;
            if (left < 0)
                break;
            if (!observers.Contains(pair.Layer) || window.Count(other => other.Layer == pair.Layer) < heads - 1)
                window.Add((pair.Layer, pair.Head));
        }

        return new HeadTable(losses.Select((_, l) => Enumerable.Range(0, heads).Select(h => window.Contains((l, h)) ? HeadTreatment.Window : HeadTreatment.Coded).ToImmutableArray()));
    }

    /// <summary>For the report.</summary>
    public override string ToString() => Named is not null ? "heads as given" : Loss is { } loss ? FormattableString.Invariant($"heads chosen for a loss of {100 * loss:0.##} %") : "all heads";
}
