using DeltaKV.Compression.CompressKv;
using DeltaKV.Evaluation.Html;
using static System.FormattableString;

namespace DeltaKV.Inspection;

/// <summary>An inspection as one self-contained page.</summary>
internal sealed class InspectionHtml
{
    private const int MostColumns = 128;
    private static readonly int[] ShownBudgets = [64, 128, 256, 512];

    private readonly InspectionReport report;
    private readonly IReadOnlyList<LayerInspection> layers;

    private InspectionHtml(InspectionReport report) => (this.report, layers) = (report, report.Layers);

    /// <summary>The page.</summary>
    public static string Render(InspectionReport report) => new InspectionHtml(report).Render();

    private string Render()
    {
        var model = report.Fingerprint;
        var page = new HtmlPage($"What {report.Model} caches", $"Read with the full cache: {report.Documents}.");
        page.Card(Invariant($"{model.Layers}"), "layers");
        page.Card(Invariant($"{model.KvHeads} × {model.HeadDim}"), "KV heads and their width");
        page.Card(Invariant($"{4L * model.Layers * model.KvHeads * model.HeadDim:N0}"), "bytes a token, uncompressed");
        page.Card(Invariant($"{report.Tokens:N0}"), "tokens read");
        page.Card(Invariant($"{layers.Average(l => l.EffectiveRank):F0} of {2 * model.KvHeads * model.HeadDim}"), "mean effective rank");
        page.Section("Lengths", "Length of one head's key and value vectors, over tokens and heads; whiskers from the 1st to the 99th percentile.", Lines(
            "length", ("keys", 0, l => l.KeyNorm), ("values", 1, l => l.ValueNorm)));
        Channels(page);
        Spectra(page);
        References(page);
        Retrieval(page);
        Overlap(page);
        Figures(page);
        return page.ToString();
    }

    private void Channels(HtmlPage page) => page.Section(
        "Channels",
        "Root mean square of every channel, layer by layer; the strongest of a layer stands out most. Vertical stripes are channels that are large in all tokens: they need "
        + "their own scale. Before RoPE a stripe is one channel; after it, a pair shares what it has.",
        HtmlPage.Grid(
            [
                ("keys before RoPE", Strip(l => l.Keys)),
                ("keys after RoPE", Strip(l => l.RotatedKeys)),
                ("values", Strip(l => l.Values)),
            ],
            isWide: true));

    private string Strip(Func<LayerInspection, ChannelSummary> part)
    {
        var width = part(layers[0]).Rms.Count;
        var columns = Math.Min(width, MostColumns);
        var cells = layers.Select(part).Select(channels => Enumerable.Range(0, columns).Select(column =>
        {
            var range = Enumerable.Range(column * width / columns, Math.Max(1, (column + 1) * width / columns - column * width / columns));
            return range.MaxBy(i => channels.Rms[i]);
        }).ToArray()).ToArray();
        var largest = layers.Select(l => Math.Max(part(l).Rms.Max(), 1e-12)).ToArray();
        return new HeatMap([.. layers.Select(l => Invariant($"{l.Layer}"))], [.. Enumerable.Repeat("", columns)])
        {
            Cell = (460.0 / columns, 16), Format = "", IsStrength = true, Gap = 0,
        }.Draw(
            (row, column) => part(layers[row]).Rms[cells[row][column]] / largest[row],
            (row, column) =>
            {
                var (channels, channel) = (part(layers[row]), cells[row][column]);
                return Invariant($"layer {layers[row].Layer}, head {channel / report.Fingerprint.HeadDim}, channel {channel % report.Fingerprint.HeadDim}\nroot mean square {channels.Rms[channel]:G3}\nfrom {channels.Least[channel]:G3} to {channels.Greatest[channel]:G3}");
            });
    }

    private void Spectra(HtmlPage page)
    {
        ChartSeries[] Series(Func<LayerInspection, IReadOnlyList<double>> spectrum) => [.. layers.Select(l => new ChartSeries(
            Invariant($"layer {l.Layer}"), Hue(l.Layer), [.. spectrum(l).Select((v, i) => (Value: v, Axis: i + 1)).Where(p => p.Value > 1e-5 && IsShown(p.Axis))
                .Select(p => new ChartPoint(p.Axis, 100 * p.Value, 0, 0, Invariant($"layer {l.Layer}, axis {p.Axis}\n{100 * p.Value:G3} % of the variance")))]))];
        var chart = new LineChart(
            new Axis(1, Math.Max(2, layers.Max(l => l.Spectrum.Count)), 0, 0, IsLogarithmic: true), new Axis(1e-3, 100, 0, 0, IsLogarithmic: true, Unit: " %"),
            "principal axis", "share of the variance") { Radius = 2.5, IsProfile = true };
        page.Section(
            "Spectrum", "Variance of keys before RoPE and values together along their principal axes, one line a layer: what falls steeply takes few numbers to keep.",
            chart.Draw(Series(l => l.Spectrum)));
        page.Section(
            "Spectrum of residuals",
            Invariant($"The same after the mean of the {report.Neighbours} nearest references before a token is taken away, as shares of the variance before. Every {report.ReferenceStride}th token is a reference."),
            chart.Draw(Series(l => l.ResidualSpectrum)));
    }

    private void References(HtmlPage page)
    {
        page.Section(
            "References or the mean",
            "How far a token's kv is from what is taken away before it is coded. Where references are no closer than the mean of all tokens, they only cost memory.",
            Lines(
                "distance", ("to the mean", 9, l => l.DistanceToMean), ("to the nearest reference", 1, l => l.DistanceToNearest),
                (Invariant($"to the mean of {report.Neighbours}"), 0, l => l.DistanceToReferences)));
        page.Section(
            "Bits", "What a token takes at least in a layer, were kv Gaussian, for a squared error of 1 % of the variance: with the mean taken away and with references. References themselves are not counted.",
            Lines("bits per token", ("mean", 9, l => new Spread(l.Bits, 0, 0)), ("references", 0, l => new Spread(l.ResidualBits, 0, 0))));
    }

    private void Retrieval(HtmlPage page)
    {
        if (report.Retrieval is not { } profile)
            return;
        var largest = Math.Max(profile.Layers.Max(l => l.Scores.Max()), 1e-12);
        page.Section(
            "Semantic retrieval heads",
            $"Attention from answer tokens to the whole sentence that says the answer, mean over runs, summed over the answer. {profile.Report}. CompressKV lets each layer's best heads choose.",
            new HeatMap([.. profile.Layers.Select((_, layer) => Invariant($"layer {layer}"))], [.. profile.Layers[0].Scores.Select((_, head) => Invariant($"{head}"))])
            {
                Title = "query head", IsStrength = true, Scale = largest, Format = "F2", Cell = (profile.Layers[0].Scores.Count > 16 ? 30 : 52, 24),
            }.Draw(
                (row, column) => profile.Layers[row].Scores[column] / largest,
                (row, column) => Invariant($"layer {row}, head {column}\nscore {profile.Layers[row].Scores[column]:F3}{(profile.Layers[row].Heads.Contains(column) ? "\nchooses" : "")}")));
        Budgets(page, profile);
    }

    private void Budgets(HtmlPage page, CompressKvProfile profile)
    {
        var series = ShownBudgets.Select((budget, i) => new ChartSeries(
            Invariant($"{budget} on average"), $"var(--c{i})",
            [.. profile.Budgets(budget).Select((tokens, layer) => new ChartPoint(layer, tokens, 0, 0, Invariant($"layer {layer}: {tokens} tokens of {budget} on average")))])).ToArray();
        page.Section(
            "Layer budgets", "Tokens a layer keeps, when layers keep so many on average: shared by how much its output suffers from keeping 32.",
            LayerChart("tokens", series).Draw(series));
    }

    private void Overlap(HtmlPage page) => page.Section(
        "Which layer may choose for which",
        "Share, %, of the tokens a layer (column) attends to most that an earlier one (row) attends to most as well: a layer whose row stands out up to the next one that does can observe for them.",
        new HeatMap([.. layers.Select(l => Invariant($"layer {l.Layer}"))], [.. layers.Select(l => Invariant($"{l.Layer}"))])
        {
            IsStrength = true, Cell = (layers.Count > 16 ? 30 : 52, 24),
        }.Draw(
            (row, column) => row < column ? report.Overlap[row][column] : null,
            (row, column) => row < column ? Invariant($"layer {row} for layer {column}: {100 * report.Overlap[row][column]:F1} %") : "a layer does not choose for earlier ones"));

    private void Figures(HtmlPage page) => page.Section(
        "The figures", "Outliers are channels with more than three times the median root mean square; rank is the effective one, with the axes that hold 90 % and 99 % of the variance; distances are means; bits are those above.",
        HtmlPage.Table(
            ["layer", "|key|", "|value|", "key outliers", "value outliers", "rank", "90 %", "99 %", "to mean", "to nearest", $"to {report.Neighbours} nearest", "bits", "with refs"],
            layers.Select(l => (IReadOnlyList<string>)
            [
                Invariant($"{l.Layer}"), Invariant($"{l.KeyNorm.Mean:F2}"), Invariant($"{l.ValueNorm.Mean:F2}"), Invariant($"{l.Keys.Outliers.Count}"), Invariant($"{l.Values.Outliers.Count}"),
                Invariant($"{l.EffectiveRank:F0}"), Invariant($"{l.Axes90}"), Invariant($"{l.Axes99}"), Invariant($"{l.DistanceToMean.Mean:F2}"), Invariant($"{l.DistanceToNearest.Mean:F2}"),
                Invariant($"{l.DistanceToReferences.Mean:F2}"), Invariant($"{l.Bits:F0}"), Invariant($"{l.ResidualBits:F0}"),
            ])));

    private string Lines(string title, params (string Name, int Color, Func<LayerInspection, Spread> Value)[] lines)
    {
        var series = lines.Select(line => new ChartSeries(
            line.Name, $"var(--c{line.Color})", [.. layers.Select(layer => Point(line.Name, layer.Layer, line.Value(layer)))])).ToArray();
        return LayerChart(title, series).Draw(series);
    }

    private static ChartPoint Point(string name, int layer, Spread value) => new(layer, value.Mean, value.Low, value.High, value.High > value.Low
        ? Invariant($"{name}, layer {layer}\n{value.Mean:G4}, 98 % from {value.Low:G3} to {value.High:G3}")
        : Invariant($"{name}, layer {layer}\n{value.Mean:G4}"));

    private LineChart LayerChart(string title, IReadOnlyList<ChartSeries> series) => new(
        new Axis(-0.4, layers.Count - 0.6, 0, 0, IsWhole: true), new Axis(0, 1.08 * series.Max(s => s.Points.Max(p => Math.Max(p.Y, p.High))), 0, 0), "layer", title) { IsProfile = true };

    /// <summary>From blue for the first layer to red for the last.</summary>
    private string Hue(int layer) => Invariant($"hsl({220 - 220 * layer / Math.Max(1, layers.Count - 1)} 65% 52%)");

    /// <summary>Fewer points where the logarithmic axis is crowded.</summary>
    private static bool IsShown(int axis) => axis <= 16 || axis <= 64 && axis % 4 == 0 || axis % 16 == 0;
}
