using System.Globalization;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;

namespace DeltaKV.Cli.Output;

/// <summary>One layer of a codec.</summary>
/// <param name="Treatment">What is stored.</param>
/// <param name="Observes">Whether it chooses tokens for others.</param>
/// <param name="Bytes">A record.</param>
/// <param name="Neighbours">References per token.</param>
/// <param name="DimensionsByBits">Dimensions of a record by their bits.</param>
/// <param name="Heads">A row of <see cref="HeadTable"/>.</param>
internal sealed record CodecLayerRecord(string Treatment, bool Observes, int Bytes, int Neighbours, IReadOnlyDictionary<int, int> DimensionsByBits, string Heads)
{
    internal static CodecLayerRecord Of(CodecLayer layer, int heads) => new(
        layer.Treatment.ToString().ToLowerInvariant(),
        layer.Observes,
        layer.Codec is { } codec ? RecordLayout.Of(codec).Bytes : 0,
        layer.Codec?.Neighbours ?? 0,
        (layer.Codec?.Groups.SelectMany(group => group.Chunks) ?? []).GroupBy(chunk => (int)chunk).OrderByDescending(group => group.Key)
            .ToDictionary(group => group.Key, group => group.Count() * CodeGroup.DimensionsOf((ChunkWidth)group.Key)),
        HeadTable.Text(HeadTable.Of(layer, heads)));

    public override string ToString()
    {
        var dimensions = Heads.All(head => head == 'w') ? "sinks and window alone"
            : DimensionsByBits.Count == 0 ? "the mean alone"
            : string.Join(" + ", DimensionsByBits.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} dimensions of {pair.Key} bits")));
        var text = Treatment != "coded" ? Treatment
            : string.Create(CultureInfo.InvariantCulture, $"{Bytes,4} bytes: {dimensions}{(Neighbours > 0 ? $", {Neighbours} references" : "")}");
        if (Heads.Contains('w', StringComparison.Ordinal))
            text += $", heads {Heads}";
        return Observes ? text + ", observes" : text;
    }
}
