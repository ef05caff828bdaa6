using System.Globalization;
using System.Text;
using DeltaKV.Compression.DeltaKv;

namespace DeltaKV.Cli.Output;

/// <summary>What a codec is, from its file.</summary>
internal sealed record CodecRecord(
    string File,
    string Model,
    string Report,
    int Sinks,
    int Recent,
    int ReferenceStride,
    int ReferenceBits,
    int BytesPerToken,
    int FullBytesPerToken,
    IReadOnlyDictionary<int, double> RatioAtTokens,
    IReadOnlyList<CodecLayerRecord> Layers)
{
    internal static CodecRecord Of(string file, DeltaKvCodec codec) => new(
        Path.GetFullPath(file),
        codec.Model.ToString(),
        codec.Report,
        codec.Options.Sinks,
        codec.Options.Recent,
        codec.Options.ReferenceStride,
        codec.Options.ReferenceBits,
        codec.BytesPerToken,
        (int)CodecSize.Full(codec.Model, 1),
        // A token less: at most lengths a block of the window is being filled.
        ((int[])[4096, 16384, 131072]).ToDictionary(tokens => tokens, tokens => CodecSize.Usage(codec, tokens - 1).Ratio),
        [.. codec.Layers.Select(layer => CodecLayerRecord.Of(layer, codec.Model.KvHeads))]);

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"codec       {File}\n");
        text.Append(CultureInfo.InvariantCulture, $"model       {Model}\n");
        text.Append(CultureInfo.InvariantCulture, $"raw         first {Sinks} tokens, newest {Recent}\n");
        if (Layers.Any(layer => layer.Neighbours > 0))
            text.Append(CultureInfo.InvariantCulture, $"references  every {ReferenceStride} tokens, {ReferenceBits} bits\n");
        text.Append(CultureInfo.InvariantCulture, $"bytes       {BytesPerToken:N0} of {FullBytesPerToken:N0} per coded token, references not counted; in all ");
        text.AppendJoin(", ", RatioAtTokens.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value:P1} at {pair.Key:N0} tokens"))).Append('\n');
        var table = string.Join('/', Layers.Select(layer => layer.Heads));
        if (table.Contains('w', StringComparison.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"heads       {table} ({table.Count(head => head == 'w')} of {table.Count(char.IsLetterOrDigit)} keep sinks and window alone)\n");
        for (var i = 0; i < Layers.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"layer {i,-5} {Layers[i]}\n");
        return text.Append(CultureInfo.InvariantCulture, $"report      {Report}").ToString();
    }
}
