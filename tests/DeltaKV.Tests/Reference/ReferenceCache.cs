namespace DeltaKV.Tests.Reference;

/// <summary>The uncompressed cache of one sequence, whose rows a test may replace by what a codec reconstructs, or hide.</summary>
internal sealed class ReferenceCache
{
    private readonly ReferenceConfig _config;
    private readonly float[][] _rows;
    private readonly float[][][] _keyPanels;
    private readonly float[]?[][] _bias;

    public ReferenceCache(ReferenceConfig config, int capacity)
    {
        _config = config;
        Capacity = (capacity + PackedMatrix.Panel - 1) / PackedMatrix.Panel * PackedMatrix.Panel;
        Rope = new Rope(config.HeadDim, config.RopeTheta, Capacity);
        _rows = NewPerLayer(() => GC.AllocateArray<float>(Capacity * config.KvWidth, pinned: true));
        _keyPanels = NewPerLayer(() => Enumerable.Range(0, config.KvHeads)
            .Select(_ => GC.AllocateArray<float>(Capacity * config.HeadDim, pinned: true)).ToArray());
        _bias = NewPerLayer(() => new float[]?[config.KvHeads]);
    }

    public int Capacity { get; }

    public Rope Rope { get; }

    /// <summary>Tokens held; may be lowered to forget the newest ones.</summary>
    public int Length { get; set; }

    /// <summary>Pre-RoPE kv of one layer, <c>[Capacity, KvWidth]</c>. Write through <see cref="SetRow"/> only.</summary>
    public ReadOnlySpan<float> Row(int layer, int position) => _rows[layer].AsSpan(position * _config.KvWidth, _config.KvWidth);

    /// <summary>Replaces the kv of one token (or stores a new one) and rotates its keys to its position.</summary>
    public void SetRow(int layer, int position, ReadOnlySpan<float> row)
    {
        row.CopyTo(_rows[layer].AsSpan(position * _config.KvWidth));
        Span<float> key = stackalloc float[_config.HeadDim];
        var panel = position / PackedMatrix.Panel * PackedMatrix.Panel * _config.HeadDim + position % PackedMatrix.Panel;
        for (var head = 0; head < _config.KvHeads; head++)
        {
            row.Slice(head * _config.HeadDim, _config.HeadDim).CopyTo(key);
            Rope.Rotate(key, position);
            for (var i = 0; i < key.Length; i++)
                _keyPanels[layer][head][panel + i * PackedMatrix.Panel] = key[i];
        }
    }

    /// <summary>Hides a position from one KV head of one layer, as if it had been evicted, or shows it again.</summary>
    public void SetVisible(int layer, int kvHead, int position, bool visible) =>
        (_bias[layer][kvHead] ??= new float[Capacity])[position] = visible ? 0f : float.NegativeInfinity;

    internal float[] Rows(int layer) => _rows[layer];

    internal float[] KeyPanels(int layer, int kvHead) => _keyPanels[layer][kvHead];

    internal float[]? Bias(int layer, int kvHead) => _bias[layer][kvHead];

    private T[] NewPerLayer<T>(Func<T> create) => Enumerable.Range(0, _config.Layers).Select(_ => create()).ToArray();
}
