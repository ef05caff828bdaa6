using System.Globalization;
using DeltaKV.Engine;

namespace DeltaKV.Cli.Output;

/// <summary>Numbers as people read them.</summary>
internal static class Units
{
    internal static string Bytes(long bytes) => ByteCount.Text(bytes);

    internal static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
