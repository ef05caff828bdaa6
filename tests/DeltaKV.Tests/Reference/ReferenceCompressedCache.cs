using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;

namespace DeltaKV.Tests.Reference;

/// <summary>A sequence whose history is replaced, chunk by chunk as it grows, by what a codec reconstructs: the engine's rule in plain code.</summary>
/// <remarks>
/// Sinks and the newest tokens stay raw; whole blocks of 16 that are older are coded, every so many-th token being a reference besides, and hidden from heads that keep no history.
/// A chunk attends to the cache as it was before the chunk's own flush.
/// </remarks>
internal sealed class ReferenceCompressedCache
{
    private const int ChunkTokens = 128;

    private readonly ReferenceTransformer _model;
    private readonly DeltaKvCodec? _codec;
    private readonly ReferenceCache _cache;
    private readonly ScalarCodec?[] _coders;
    private readonly List<int> _referencePositions = [];
    private readonly List<float>[] _references;
    private int _coded;

    public ReferenceCompressedCache(ReferenceTransformer model, DeltaKvCodec? codec, int capacity)
    {
        (_model, _codec) = (model, codec);
        _cache = new ReferenceCache(model.Config, capacity);
        _coders = [.. (codec?.Layers ?? []).Select(layer => layer.Codec is null ? null : new ScalarCodec(layer.Codec))];
        _references = [.. _coders.Select(_ => new List<float>())];
    }

    public int Length => _cache.Length;

    public long FullBytes => (long)Length * _model.Config.Layers * _model.Config.KvWidth * 2;

    public long PeakBytes { get; private set; }

    /// <summary>Raw rows and references as bf16, and records; nothing for recomputed layers, whose token ids the engine keeps anyway.</summary>
    public long StoredBytes
    {
        get
        {
            if (_codec is null)
                return FullBytes;
            var row = _model.Config.KvWidth * 2L;
            return _codec.Layers.Zip(_coders, (layer, coder) => layer.Treatment == LayerTreatment.Raw
                ? Length * row
                : (Length - _coded) * row + _coded * (coder?.RecordBytes ?? 0L)
                    + (layer.Codec?.Neighbours > 0 ? _referencePositions.Count * row * _codec.Options.ReferenceBits / 16 : 0)).Sum();
        }
    }

    /// <summary>Appends tokens and returns their hidden states.</summary>
    public float[] Append(ReadOnlySpan<int> tokens, bool compress = true)
    {
        var hidden = new List<float>();
        for (var start = 0; start < tokens.Length; start += ChunkTokens)
        {
            hidden.AddRange(_model.Forward(tokens.Slice(start, Math.Min(ChunkTokens, tokens.Length - start)), _cache));
            PeakBytes = Math.Max(PeakBytes, StoredBytes);
            if (compress && _codec is not null)
                Flush(_codec);
        }

        return [.. hidden];
    }

    /// <summary>Drops the newest tokens, none of which may have been coded.</summary>
    public void Forget(int length) => _cache.Length = length;

    private void Flush(DeltaKvCodec codec)
    {
        var options = codec.Options;
        var first = options.Sinks + _coded;
        var end = (Length - options.Recent) / CodedKvFormat.BlockTokens * CodedKvFormat.BlockTokens;
        if (end <= first)
            return;
        for (var position = first; position < end; position++)
        {
            if (ReferencePlan.IsReference(position - options.Sinks, options.ReferenceStride))
                AddReference(position);
        }

        var kept = _referencePositions.ToHashSet();
        var positions = _referencePositions.ToArray();
        Parallel.For(0, _coders.Length, layer =>
        {
            if (_coders[layer] is not { } coder)
                return;
            var neighbours = codec.Layers[layer].Codec!.Neighbours;
            var references = _references[layer].ToArray();
            var record = new byte[coder.RecordBytes];
            var row = new float[_model.Config.KvWidth];
            for (var position = first; position < end; position++)
            {
                _cache.Row(layer, position).CopyTo(row);
                float[] reference = neighbours == 0
                    ? []
                    : ReferencePlan.Mean(references, ReferencePlan.Nearest(row, position, references, positions, kept.Contains(position) ? 1 : neighbours), row.Length);
                coder.Encode(row, reference, record);
                coder.Decode(record, reference, row);
                _cache.SetRow(layer, position, row);
                for (var head = 0; head < _model.Config.KvHeads; head++)
                {
                    if (!codec.Layers[layer].Codec!.KeepsHistory(head))
                        _cache.SetVisible(layer, head, position, visible: false);
                }
            }
        });
        _coded += end - first;
    }

    private void AddReference(int position)
    {
        _referencePositions.Add(position);
        for (var layer = 0; layer < _references.Length; layer++)
            _references[layer].AddRange(_cache.Row(layer, position));
    }
}
