namespace DeltaKV.Compression.Codes;

/// <summary>The features of one group of a layer; an element of a device table.</summary>
internal struct FeatureUnit
{
    /// <summary>Number among the compressed layers.</summary>
    public int Layer;

    /// <summary>First kv element that takes part, in chunks of eight.</summary>
    public int FirstChunk;

    /// <summary>Chunks of eight kv elements.</summary>
    public int Chunks;

    /// <summary>Features.</summary>
    public int Count;

    /// <summary>First of them within the layer's features.</summary>
    public int FirstFeature;

    /// <summary>First chunk of eight halves of the weight <c>[rows][chunks]</c>.</summary>
    public int FirstWeight;

    /// <summary>First element of the bias.</summary>
    public int FirstBias;
}
