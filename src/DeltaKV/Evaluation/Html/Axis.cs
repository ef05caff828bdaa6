using System.Globalization;

namespace DeltaKV.Evaluation.Html;

/// <summary>Maps values to a picture's coordinates.</summary>
/// <param name="Low">The least value shown.</param>
/// <param name="High">The greatest.</param>
/// <param name="Start">Where the least is drawn.</param>
/// <param name="End">Where the greatest is.</param>
/// <param name="IsLogarithmic">Whether equal factors, not equal differences, are equally far apart.</param>
/// <param name="Unit">Behind the numbers of its ticks.</param>
/// <param name="IsWhole">Whether only whole numbers mean anything.</param>
internal sealed record Axis(double Low, double High, double Start, double End, bool IsLogarithmic = false, string Unit = "", bool IsWhole = false)
{
    private const int MostTicks = 6;
    private const int MostWholeTicks = 16;

    /// <summary>Where a value is drawn; what is outside is drawn at the border.</summary>
    public double At(double value)
    {
        var share = IsLogarithmic
            ? (Math.Log(Math.Max(value, Low)) - Math.Log(Low)) / (Math.Log(High) - Math.Log(Low))
            : (value - Low) / (High - Low);
        return Start + (End - Start) * Math.Clamp(share, 0, 1);
    }

    /// <summary>Round values to write beside it.</summary>
    public IEnumerable<(double Value, string Text)> Ticks()
    {
        foreach (var value in IsLogarithmic ? Logarithmic() : Linear())
            yield return (value, value.ToString("0.##########", CultureInfo.InvariantCulture) + Unit);
    }

    private IEnumerable<double> Linear()
    {
        var rough = IsWhole ? Math.Max(1, (High - Low) / MostWholeTicks) : (High - Low) / MostTicks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * new[] { 1.0, 2, 5, 10 }.First(s => s * power >= rough);
        for (var i = (long)Math.Ceiling(Low / step - 1e-9); i * step <= High + 1e-9 * step; i++)
            yield return Math.Round(i * step, 10);
    }

    private IEnumerable<double> Logarithmic()
    {
        var decades = Math.Log10(High / Low);
        double[] steps = decades > 3 ? [1] : [1, 2, 5];
        for (var power = (int)Math.Floor(Math.Log10(Low)); power <= Math.Ceiling(Math.Log10(High)); power++)
        {
            foreach (var step in steps)
            {
                var value = double.Parse(string.Create(CultureInfo.InvariantCulture, $"{step}e{power}"), CultureInfo.InvariantCulture);
                if (value >= Low * 0.999 && value <= High * 1.001)
                    yield return value;
            }
        }
    }
}
