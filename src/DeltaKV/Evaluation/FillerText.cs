using System.Reflection;

namespace DeltaKV.Evaluation;

/// <summary>Plain paragraphs to hide facts in: lines of the .NET reference documentation (MIT).</summary>
internal static class FillerText
{
    private static readonly Lazy<string[]> Lines = new(Read);

    /// <summary>Paragraphs that evaluation uses.</summary>
    public static IReadOnlyList<string> Evaluation { get; } = new EveryOther(0);

    /// <summary>Paragraphs that calibration uses; none of them is in <see cref="Evaluation"/>.</summary>
    public static IReadOnlyList<string> Calibration { get; } = new EveryOther(1);

    private static string[] Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("DeltaKV.Evaluation.filler.txt")
            ?? throw new InvalidOperationException("The assembly lacks its embedded filler.txt; rebuild DeltaKV from a complete checkout.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private sealed class EveryOther(int first) : IReadOnlyList<string>
    {
        public int Count => (Lines.Value.Length - first + 1) / 2;

        public string this[int index] => Lines.Value[2 * index + first];

        public IEnumerator<string> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
