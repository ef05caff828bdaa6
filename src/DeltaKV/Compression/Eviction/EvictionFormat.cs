using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>Sizes of everything an evicting cache stores.</summary>
/// <param name="Shape">The heads.</param>
/// <param name="LayerCount">Layers.</param>
/// <param name="Policy">What is kept.</param>
/// <param name="Kept">How that is coded; null: it stays raw.</param>
internal sealed record EvictionFormat(AttentionShape Shape, int LayerCount, IEvictionPolicy Policy, KeptFormat? Kept = null)
{
    /// <summary>Tokens of a block, which belongs to one layer.</summary>
    internal const int BlockTokens = KvBlockLayout.Size;

    /// <summary>Whether every token carries the sum of the attention it received.</summary>
    internal bool HasMarks => Policy.Scoring is { Window: null };

    /// <summary>Queries of a prompt that are kept until its end; 0: none.</summary>
    internal int Window => Policy.Scoring?.Window ?? 0;

    /// <summary>The policy, if it has the model read something after a prompt.</summary>
    internal IProbingPolicy? Probing => Policy as IProbingPolicy;

    /// <summary>Tokens of such a probe, for which there is room beyond the longest sequence.</summary>
    internal int ProbeTokens => Probing is null ? 0 : Probing.ChunkTokens + Probing.Instruction.Length;

    /// <summary>Raw blocks of a layer that is coded as far as may be: its first slots, its window and what waits to be a whole coded block.</summary>
    internal int WindowBlocks => Kept is null ? int.MaxValue : 2 + Blocks(Kept.Sinks + Kept.BlockTokens) + Blocks(Kept.Recent + Kept.BlockTokens);

    /// <summary>Bytes of keys and values of a token in one layer.</summary>
    internal int TokenBytes => 2 * Shape.KeyHeads * Shape.HeadDim * sizeof(ushort);

    /// <summary>Bytes of the marks of a block.</summary>
    internal int MarkBytes => HasMarks ? Shape.KeyHeads * BlockTokens * sizeof(float) : 0;

    /// <summary>Bytes of the positions of the tokens of a block, where they are not their slots.</summary>
    internal int PositionBytes => Kept is { HasPositions: true } ? BlockTokens * sizeof(int) : 0;

    /// <summary>Bytes of a block.</summary>
    internal long BlockBytes => ((long)BlockTokens * TokenBytes) + MarkBytes + PositionBytes;

    /// <summary>Bytes of the queries of a prompt that are kept until its end.</summary>
    internal long QueryBytes => (long)LayerCount * Window * Shape.OutputWidth * sizeof(ushort);

    internal static int Blocks(int tokens) => (tokens + BlockTokens - 1) / BlockTokens;
}
