namespace DeltaKV.Compression.Eviction;

/// <summary>Blocks that somebody asks for.</summary>
/// <param name="kinds">Kinds of coded blocks.</param>
internal sealed class BlockNeed(int kinds)
{
    /// <summary>Raw ones.</summary>
    internal int Raw { get; set; }

    /// <summary>Coded ones, by kind.</summary>
    internal int[] Coded { get; } = new int[kinds];

    /// <summary>Whether it is none.</summary>
    internal bool IsNone => Raw <= 0 && Coded.All(count => count <= 0);

    /// <summary>Both.</summary>
    internal BlockNeed Plus(BlockNeed other)
    {
        var sum = new BlockNeed(Coded.Length) { Raw = Raw + other.Raw };
        for (var kind = 0; kind < Coded.Length; kind++)
            sum.Coded[kind] = Coded[kind] + other.Coded[kind];
        return sum;
    }

    /// <summary>Adds blocks for a layer.</summary>
    internal void Add(LayerBlocks layer, int raw, int coded)
    {
        Raw += raw;
        if (layer.Kind >= 0)
            Coded[layer.Kind] += coded;
    }
}
