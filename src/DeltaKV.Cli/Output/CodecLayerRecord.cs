using System.Globalization;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;

namespace DeltaKV.Cli.Output;

/// <summary>One layer of a codec.</summary>
/// <param name="Treatment">What is stored.</param>
/// <param name="Observes">Whether it selects for the layers after it.</param>
/// <param name="Bytes">Bytes of a token.</param>
/// <param name="Neighbours">References of a token.</param>
/// <param name="DimensionsByBits">Dimensions by their width.</param>
/// <param name="Heads">A row of <see cref="HeadTable"/>.</param>
/// <param name="Encoder">The hidden layer of the encoder; null: it is linear.</param>
/// <param name="Decoder">The hidden layer of the decoder; null: it is linear, and attention reads in place.</param>
internal sealed record CodecLayerRecord(
    string Treatment, bool Observes, int Bytes, int Neighbours, IReadOnlyDictionary<int, int> DimensionsByBits, string Heads, string? Encoder, string? Decoder)
{
    internal static CodecLayerRecord Of(CodecLayer layer, int heads) => new(
        layer.Treatment.ToString().ToLowerInvariant(),
        layer.Observes,
        layer.Codec is { } codec ? RecordLayout.Of(codec).Bytes : 0,
        layer.Codec?.Neighbours ?? 0,
        (layer.Codec?.Groups.SelectMany(group => group.Chunks) ?? []).GroupBy(chunk => (int)chunk).OrderByDescending(group => group.Key)
            .ToDictionary(group => group.Key, group => group.Count() * CodeGroup.DimensionsOf((ChunkWidth)group.Key)),
        HeadTable.Text(HeadTable.Of(layer, heads)),
        Network(layer.Codec?.Groups.Select(group => group.Features) ?? []),
        Network(layer.Codec?.Groups.Select(group => group.Decoder) ?? []));

    public override string ToString()
    {
        var dimensions = Heads.All(head => head == 'w') ? "sinks and window alone"
            : DimensionsByBits.Count == 0 ? "the mean alone"
            : string.Join(" + ", DimensionsByBits.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} dimensions of {pair.Key} bits")));
        var text = Treatment != "coded" ? Treatment
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{Bytes,4} bytes: {dimensions}{(Neighbours > 0 ? $", {Neighbours} references" : "")}{(Encoder is null ? "" : $", {Encoder} encoder")}{(Decoder is null ? "" : $", {Decoder} decoder")}");
        if (Heads.Contains('w', StringComparison.Ordinal))
            text += $", heads {Heads}";
        return Observes ? text + ", observes" : text;
    }

    /// <summary>Kind and features of hidden layers, group after group.</summary>
    private static string? Network(IEnumerable<KvFeatures?> groups)
    {
        var hidden = groups.OfType<KvFeatures>().ToArray();
        return hidden.Length == 0
            ? null
            : $"{hidden[0].Activation.ToString().ToLowerInvariant()} {string.Join('+', hidden.Select(features => features.Count.ToString(CultureInfo.InvariantCulture)))}";
    }
}
