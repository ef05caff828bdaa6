using System.Globalization;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv;

namespace DeltaKV.Cli.Output;

/// <summary>One layer of a codec.</summary>
internal sealed record CodecLayerRecord(string Treatment, bool Observes, int Bytes, int Neighbours, IReadOnlyDictionary<int, int> DimensionsByBits)
{
    internal static CodecLayerRecord Of(CodecLayer layer) => new(
        layer.Treatment.ToString().ToLowerInvariant(),
        layer.Observes,
        layer.Codec is { } codec ? RecordLayout.Of(codec).Bytes : 0,
        layer.Codec?.Neighbours ?? 0,
        (layer.Codec?.Groups.SelectMany(group => group.Chunks) ?? []).GroupBy(chunk => (int)chunk).OrderByDescending(group => group.Key)
            .ToDictionary(group => group.Key, group => group.Count() * CodeGroup.DimensionsOf((ChunkWidth)group.Key)));

    public override string ToString()
    {
        var dimensions = DimensionsByBits.Count == 0 ? "the mean alone"
            : string.Join(" + ", DimensionsByBits.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} dimensions of {pair.Key} bits")));
        var text = Treatment != "coded" ? Treatment
            : string.Create(CultureInfo.InvariantCulture, $"{Bytes,4} bytes: {dimensions}{(Neighbours > 0 ? $", {Neighbours} references" : "")}");
        return Observes ? text + ", observes" : text;
    }
}
