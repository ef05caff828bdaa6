using System.Diagnostics;
using System.Globalization;
using DeltaKV.Evaluation;

namespace DeltaKV.Cli.Output;

/// <summary>Says on stderr how far long work is: one line that is rewritten for a person, a line per tenth of the work for a file.</summary>
internal sealed class ProgressDisplay(Terminal terminal) : IProgress<EvaluationProgress>
{
    private const int BarWidth = 24;
    private const int MostWidth = 100;
    private static readonly TimeSpan RewriteInterval = TimeSpan.FromMilliseconds(100);

    // The last column stays free: some terminals begin a new line when it is written.
    private readonly int width = Math.Clamp(terminal.Width - 1, BarWidth, MostWidth);
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly Lock gate = new();
    private TimeSpan written = -RewriteInterval;
    private int tenth;

    public void Report(EvaluationProgress value)
    {
        lock (gate)
        {
            var isLast = value.Completed >= value.Total;
            if (terminal.ShowsProgress)
            {
                if (!isLast && clock.Elapsed - written < RewriteInterval)
                    return;
                written = clock.Elapsed;
                terminal.Error.Write("\r" + Line(value) + (isLast ? Environment.NewLine : ""));
            }
            else if (10 * value.Completed / Math.Max(1, value.Total) is var now && now > tenth)
            {
                tenth = now;
                terminal.Error.WriteLine(Line(value).TrimEnd());
            }
        }
    }

    /// <summary>As long as a line at most, and no shorter than what it overwrites.</summary>
    private string Line(EvaluationProgress value)
    {
        var share = Math.Clamp(value.Completed / (double)Math.Max(1, value.Total), 0, 1);
        var done = (int)(share * BarWidth);
        var left = share > 0 ? clock.Elapsed / share - clock.Elapsed : TimeSpan.Zero;
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"[{new string('#', done)}{new string('.', BarWidth - done)}] {value.Completed}/{value.Total}  {Time(clock.Elapsed)}, {Time(left)} left  {value.Current}");
        return text.Length > width ? text[..(width - 3)] + "..." : text.PadRight(width);
    }

    private static string Time(TimeSpan time) => time.TotalHours >= 1
        ? time.ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture)
        : time.ToString(@"m\:ss", CultureInfo.InvariantCulture);
}
