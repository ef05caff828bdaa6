using System.Globalization;

namespace DeltaKV.Cli.Output;

/// <summary>Numbers as people read them.</summary>
internal static class Units
{
    internal static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F2} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:F1} kB"),
    };

    internal static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
