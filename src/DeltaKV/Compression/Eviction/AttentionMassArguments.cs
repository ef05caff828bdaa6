using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>What the kernels of <see cref="AttentionMassKernel"/> take besides the shape.</summary>
internal struct AttentionMassArguments
{
    /// <summary>Rotated queries, pairs of bf16.</summary>
    public ArrayView<uint> Queries;

    /// <summary>Pairs from row to row of them.</summary>
    public int QueryStride;

    /// <summary>The layer's keys, tables and starts.</summary>
    public KvBlocks<UInt4> Cache;

    /// <summary>Row of the tables of the one sequence whose queries these are.</summary>
    public int Sequence;

    /// <summary>Its first query row.</summary>
    public int FirstRow;

    /// <summary>Its queries; 0: every row is a query of a sequence of its own, as <see cref="Rows"/> says.</summary>
    public int Count;

    /// <summary>Position of its first query.</summary>
    public int FirstPosition;

    /// <summary>Sequences and positions of single queries.</summary>
    public TokenRows Rows;

    /// <summary>Binary logarithm of parts of the softmax denominators <c>[rows, queryHeads, splits]</c>.</summary>
    public ArrayView<float> LogSumExp;

    /// <summary>Groups that share the keys of a single query in the first pass; 1 where there are many queries.</summary>
    public int Splits;

    /// <summary>Weights of the query heads, or an empty view: 1 each.</summary>
    public ArrayView<float> HeadWeights;

    /// <summary>Where the sums go <c>[keyHeads, massStride]</c>, from the sequence's start on; or an empty view: into the marks.</summary>
    public ArrayView<float> Mass;

    /// <summary>Entries of a head of them.</summary>
    public int MassStride;

    /// <summary>Sums that lie beside the keys <c>[blocks, keyHeads, 64]</c>.</summary>
    public ArrayView<float> Marks;

    /// <summary>Marks from this slot on begin here; those of single queries, with the query's own token.</summary>
    public int FreshFrom;

    /// <summary>Key heads.</summary>
    public int KeyHeads;

    /// <summary>Query heads per key head.</summary>
    public int GroupSize;

    /// <summary><c>log2(e) / sqrt(headDim)</c>.</summary>
    public float Scale;
}
