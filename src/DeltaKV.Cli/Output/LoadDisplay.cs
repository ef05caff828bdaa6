using System.Globalization;
using DeltaKV.Engine;

namespace DeltaKV.Cli.Output;

/// <summary>Says on stderr what goes where, then how far loading is.</summary>
internal sealed class LoadDisplay(Terminal terminal, bool showsPlan = true) : IProgress<LoadProgress>
{
    private int percent = -1;

    public void Report(LoadProgress value)
    {
        var isFirst = percent < 0;
        if (isFirst && showsPlan)
            terminal.Error.WriteLine(value.Plan);
        var now = (int)(100 * value.Fraction);
        if (now == percent)
            return;
        percent = now;
        if (terminal.ShowsProgress)
            terminal.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r{value.Stage} {now,3} %{(now == 100 ? Environment.NewLine : "")}"));
    }
}
