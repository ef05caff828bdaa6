using System.Globalization;

namespace DeltaKV.Tokenization.Normalization;

/// <summary>
/// Combining classes, decompositions and compositions, read once from the embedded <c>canonical.txt</c>. Hangul is arithmetic and not in
/// it.
/// </summary>
internal sealed class CanonicalData
{
    private const string ResourceName = "DeltaKV.Tokenization.Normalization.canonical.txt";

    private static readonly Lazy<CanonicalData> Loaded = new(() => new CanonicalData());

    private readonly Dictionary<int, byte> combiningClasses = [];
    private readonly Dictionary<int, (int First, int? Second)> decompositions = [];
    private readonly Dictionary<(int First, int Second), int> compositions = [];
    private readonly HashSet<int> unsettled = [];

    private CanonicalData()
    {
        using var stream = typeof(CanonicalData).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {ResourceName}.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            Read(line.Split(' '));
        unsettled.UnionWith(combiningClasses.Keys);
    }

    internal static CanonicalData Instance => Loaded.Value;

    internal byte CombiningClass(int scalar) => combiningClasses.GetValueOrDefault(scalar);

    internal bool TryDecompose(int scalar, out (int First, int? Second) parts) => decompositions.TryGetValue(scalar, out parts);

    internal bool TryCompose(int first, int second, out int composed) => compositions.TryGetValue((first, second), out composed);

    /// <summary>
    /// Whether the scalar may change under form C or combine with what stands before it. Where one is settled, text can be cut in front of
    /// it.
    /// </summary>
    internal bool IsUnsettled(int scalar) => unsettled.Contains(scalar) || Hangul.IsTrailingJamo(scalar);

    private void Read(string[] fields)
    {
        switch (fields[0])
        {
            case "C":
                for (var scalar = Hex(fields[1]); scalar <= Hex(fields[2]); scalar++)
                    combiningClasses[scalar] = byte.Parse(fields[3], CultureInfo.InvariantCulture);
                break;
            case "D":
                ReadDecomposition(Hex(fields[1]), fields[2..]);
                break;
        }
    }

    private void ReadDecomposition(int scalar, string[] fields)
    {
        var first = Hex(fields[0]);
        int? second = fields.Length > 1 ? Hex(fields[1]) : null;
        decompositions[scalar] = (first, second);
        if (fields.Length == 3)
        {
            compositions[(first, second!.Value)] = scalar;
            unsettled.Add(second.Value);
        }
        else
        {
            unsettled.Add(scalar);
        }
    }

    private static int Hex(string field) => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
