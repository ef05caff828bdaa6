using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>Neighbouring sequences whose coded tokens are reconstructed together, the n-th that a sequence reads in its slot <c>codedStart + n</c>.</summary>
internal struct HistorySpan
{
    /// <summary>Which tokens are read.</summary>
    public TokenOrder Order;

    /// <summary>Positions of the rows that read, one per sequence, negative ones are padding; empty: no sequence is.</summary>
    public ArrayView<int> Positions;

    /// <summary>Row of the tables of the first sequence.</summary>
    public int FirstSequence;

    /// <summary>Sequences.</summary>
    public int Sequences;

    /// <summary>The most tokens of a sequence; a multiple of 128 unless there is one sequence only.</summary>
    public int TokensPerSequence;

    /// <summary>Slots of a sequence.</summary>
    public int SlotsPerSequence;
}
