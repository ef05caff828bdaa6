using System.Globalization;
using System.Xml.Linq;
using DeltaKV.Evaluation;
using DeltaKV.Evaluation.Html;

namespace DeltaKV.Tests.Evaluation.Html;

public sealed class EvaluationHtmlTests
{
    private static readonly (string Method, double Ratio, double Accuracy)[] Methods =
    [
        ("full", 1.02, 0.96), ("kivi-8", 0.58, 0.96), ("kivi-4", 0.33, 0.95), ("kivi-2", 0.2, 0.8), ("int4", 0.29, 0.96),
        ("deltakv 20%", 0.2, 0.96), ("deltakv 6%", 0.06, 0.955), ("deltakv 4%", 0.04, 0.95), ("deltakv 2%", 0.02, 0.81),
        ("snapkv:share=50", 0.5, 0.4), ("snapkv:share=25", 0.25, 0.21), ("snapkv:share=12", 0.125, 0.12),
        ("streaming-llm:share=50", 0.5, 0.42), ("streaming-llm:share=25", 0.25, 0.2), ("compresskv:share=25", 0.25, 0.3), ("a<b & \"c\"", 0.1, 0.5),
    ];

    private static readonly EvaluationPlan Plan = new()
    {
        Methods = [.. Methods.Select(m => m.Method)], Tasks = ["attr", "json", "copy", "walk"], Lengths = [4096, 16384], Questions = 40,
    };

    [Fact]
    public void ThePageIsWellFormedAndLoadsNothing()
    {
        var page = Page(Plan);

        var document = XDocument.Parse(page[page.IndexOf("<html", StringComparison.Ordinal)..]);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.DoesNotContain(document.Descendants().Attributes(), a => a.Name.LocalName is "src" or "href");
        Assert.All(document.Descendants().Attributes(), a => Assert.DoesNotContain("NaN", a.Value, StringComparison.Ordinal));
        foreach (var heading in new[] { "Accuracy against bytes, 4k", "The last points, 16k", "Divergence", "Where in the document", "Memory", "Decode speed" })
            Assert.Contains(document.Descendants("h2"), h => h.Value.StartsWith(heading, StringComparison.Ordinal));
        Assert.All(Plan.Methods, m => Assert.Contains(document.Descendants("td"), t => t.Value == m));
    }

    [Fact]
    public void EveryLineOfTheFrontierHasItsNameAndNoNamesOverlap()
    {
        var frontier = Drawings(Page(Plan))[0];

        var names = frontier.Descendants("text").Where(t => (string?)t.Attribute("class") == "name").ToArray();
        Assert.Equal(
            ["a<b & \"c\"", "compresskv:share=25", "deltakv", "int4", "kivi", "snapkv", "streaming-llm"],
            names.Select(n => n.Value).Order(StringComparer.Ordinal));
        Assert.Equal(4, frontier.Descendants("polyline").Count());
        foreach (var (first, second) in names.SelectMany((a, i) => names.Skip(i + 1).Select(b => (a, b))))
        {
            var isApart = Math.Abs(Number(first, "y") - Number(second, "y")) >= 14
                || Number(first, "x") + Svg.WidthOf(first.Value) <= Number(second, "x") || Number(second, "x") + Svg.WidthOf(second.Value) <= Number(first, "x");
            Assert.True(isApart, $"{first} lies over {second}");
        }
    }

    [Fact]
    public void NamesOfBarsAreNotCutHoweverLongTheyAre()
    {
        const string Name = "snapkv:share=25,window=16,pool=max+kivi-4:recent=32,sinks=32";
        var bars = XElement.Parse(BarChart.Draw("Memory", [(Name, "red", 1.5, 3, ""), ("full", "gray", 3, null, "")], "F2", "MB"));

        var name = bars.Descendants("text").Single(t => t.Value == Name);
        Assert.True(Number(name, "x") >= Svg.WidthOf(Name), $"{Name} begins left of the drawing");
        Assert.Contains(bars.Descendants("text"), t => t.Value == "1.50 MB");
    }

    [Fact]
    public void ManyTasksOfFewMethodsStandBelowEachOther()
    {
        string[] tasks = [.. EvaluationPlan.KnownTasks];
        var drawings = Drawings(Page(Plan with { Methods = ["full", "kivi-8"], Lengths = [4096], Tasks = tasks }));

        var names = drawings.Select(d => d.Descendants("text").ToArray()).First(texts => tasks.All(task => texts.Any(t => t.Value == task)));
        Assert.All(tasks, task => Assert.Equal("end", (string?)names.Single(t => t.Value == task).Attribute("text-anchor")));
        Assert.Equal("middle", (string?)names.Single(t => t.Value == "kivi-8").Attribute("text-anchor"));
    }

    [Fact]
    public void DepthsAreToldApart()
    {
        var depths = new DepthAccuracy(Plan, Journal(Plan));
        Assert.True(depths.Of("kivi-8", 4096, 0).Accuracy < depths.Of("kivi-8", 4096, 4).Accuracy);
        Assert.Equal(32, depths.Of("kivi-8", 4096, 2).Questions);
        Assert.Equal((null, 0), depths.Of("nothing", 4096, 2));
    }

    [Fact]
    public void ARunOfOneMethodWithoutABaselineHasAPageToo()
    {
        var page = Page(Plan with { Methods = ["kivi-8"], Lengths = [4096], Tasks = ["attr"] });
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("last points", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kivi-8", "kivi")]
    [InlineData("snapkv:share=25", "snapkv")]
    [InlineData("klt 6.5 %", "klt")]
    [InlineData("compresskv+deltakv", "compresskv+deltakv")]
    [InlineData("full", "full")]
    [InlineData("7", "7")]
    [InlineData("snapkv:share=25+kivi-4:recent=32", "snapkv+kivi")]
    public void SettingsOfAMethodAreOneFamily(string method, string family) => Assert.Equal(family, MethodFamilies.Of(method));

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static string Page(EvaluationPlan plan)
    {
        var journal = Journal(plan);
        return EvaluationHtml.Render(plan, journal, EvaluationSummary.Records(plan, journal));
    }

    private static XElement[] Drawings(string page) =>
        [.. XDocument.Parse(page[page.IndexOf("<html", StringComparison.Ordinal)..]).Descendants("svg")];

    /// <summary>A run in which every method is as right as the table above says, and less so at the beginning of documents.</summary>
    private static EvaluationJournal Journal(EvaluationPlan plan)
    {
        var journal = new EvaluationJournal();
        foreach (var (method, ratio, accuracy) in Methods.Where(m => plan.Methods.Contains(m.Method)))
        {
            foreach (var length in plan.Lengths)
            {
                var full = 8192L * length;
                EvaluationJournalEntry Entry(string task, int document) => new()
                {
                    Method = method, Task = task, Length = length, Setting = plan.Setting, Seed = plan.Seed, Document = document,
                    KvBytes = (long)(ratio * full), FullKvBytes = full, PeakKvBytes = (long)((0.3 + 0.7 * ratio) * full), TtftMs = length / 8.0,
                    DecodeTokensPerSecond = 60 - 20 * ratio, Run = plan.RunOf(method, task, length),
                };

                for (var i = 0; i < plan.Tasks.Count * 4; i++)
                {
                    var random = new SeededRandom(plan.Seed, method, length, i);
                    double?[] depths = [.. Enumerable.Range(0, 10).Select(q => (double?)((q + 0.5) / 10))];
                    journal.Add(Entry(plan.Tasks[i / 4], i % 4) with
                    {
                        Depths = depths, Scores = [.. depths.Select(d => random.NextDouble() < accuracy - 0.1 + 0.2 * d!.Value ? 1.0 : 0.0)],
                    });
                }

                journal.Add(Entry(EvaluationJournalEntry.TextTask, 0) with { KlMean = method == "full" ? 0 : 0.002 / ratio * (2 - accuracy), Perplexity = 5 });
            }
        }

        return journal;
    }
}
