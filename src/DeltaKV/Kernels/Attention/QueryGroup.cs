using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>Up to 8 query heads of one key head: what a group of threads works on whose y index counts key heads, then parts of their query heads.</summary>
internal readonly struct QueryGroup
{
    /// <summary>Query heads of a group: the columns of a product.</summary>
    internal const int Most = 8;

    internal QueryGroup(int queryHeads, int keyHeads)
    {
        var groupSize = queryHeads / keyHeads;
        KeyHead = Grid.IdxY % keyHeads;
        Part = Grid.IdxY / keyHeads;
        Count = Math.Min(groupSize - (Part * Most), Most);
        First = (KeyHead * groupSize) + (Part * Most);
    }

    /// <summary>Groups for the query heads of one key head.</summary>
    internal static int PartsOf(AttentionShape shape) => (shape.GroupSize + Most - 1) / Most;

    /// <summary>The key head.</summary>
    internal int KeyHead { get; }

    /// <summary>Which part of the key head's query heads it is.</summary>
    internal int Part { get; }

    /// <summary>Its first query head.</summary>
    internal int First { get; }

    /// <summary>How many it has.</summary>
    internal int Count { get; }

    /// <summary>The query head that lanes 4i to 4i + 3 read; those without one of their own read the last.</summary>
    internal int OfLane => First + Math.Min(Warp.LaneIdx >> 2, Count - 1);
}
