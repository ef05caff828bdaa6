using System.Globalization;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>How many sequences of which length.</summary>
/// <param name="Batch">Sequences; <see cref="Largest"/> for as many as fit.</param>
/// <param name="Context">Tokens of each, the new one included.</param>
internal readonly record struct BenchSize(int Batch, int Context)
{
    /// <summary>As many sequences as the device holds.</summary>
    internal const int Largest = 0;

    /// <summary>Reads a list such as <c>1x1024,8x4k,maxx128k</c>; <c>none</c> is empty.</summary>
    /// <exception cref="UsageException">It is something else.</exception>
    internal static BenchSize[] ParseList(string text) => text == "none" ? [] : Array.ConvertAll(text.Split(','), Parse);

    /// <summary>Reads a list of prompt lengths such as <c>8192,32k</c>; <c>none</c> is empty.</summary>
    /// <exception cref="UsageException">It is something else.</exception>
    internal static int[] ParseLengths(string text) => text == "none" ? [] : Array.ConvertAll(text.Split(','), Length);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Batch}x{Context}");

    private static BenchSize Parse(string text)
    {
        if (text.LastIndexOf('x') is > 0 and var at && at < text.Length - 1)
            return new BenchSize(text[..at] == "max" ? Largest : Length(text[..at]), Length(text[(at + 1)..]));
        throw new UsageException($"'{text}' is no size; expected BATCHxCONTEXT such as 1x1024, 8x32k or maxx128k.");
    }

    private static int Length(string text)
    {
        var (digits, unit) = text.EndsWith('k') ? (text[..^1], 1024) : (text, 1);
        if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1 << 20)
            return number * unit;
        throw new UsageException($"'{text}' is no length; expected a number of tokens such as 4096 or 32k.");
    }
}
