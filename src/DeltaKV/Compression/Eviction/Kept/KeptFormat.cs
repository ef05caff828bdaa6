using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>How the tokens that an evicting cache keeps are stored: layer by layer as another method stores its history, in blocks that belong to one layer.</summary>
/// <remarks>
/// Of the tokens of a layer that are left, in order, the first <see cref="Sinks"/> stay raw and so do the newest <see cref="Recent"/>, as without deletion; and some more, because
/// coded slots begin and end at multiples of <see cref="BlockTokens"/>.
/// </remarks>
internal sealed class KeptFormat
{
    private readonly CodedKvFormat code;
    private readonly int movingSinks;

    /// <param name="code">The other method.</param>
    /// <param name="movingSinks">First tokens of a policy that moves them, raw, ahead of what is coded, whenever it deletes.</param>
    /// <param name="hasPositions">Whether all heads of a layer keep the same tokens, whose positions are stored with their codes.</param>
    /// <exception cref="ArgumentException">The method's layers need tokens that may be gone.</exception>
    internal KeptFormat(CodedKvFormat code, int movingSinks = 0, bool hasPositions = false)
    {
        (this.code, this.movingSinks, HasPositions) = (code, movingSinks, hasPositions);
        if (code.HasReferences || code.Observers.Count > 0 || (code.RecomputesFirstLayer && !hasPositions))
            throw new ArgumentException("Kept tokens are coded by themselves: without references and observation layers, and without a recomputed first layer unless their positions are known.", nameof(code));
        var sizes = Enumerable.Range(0, code.LayerCount).Select(layer => (Positions: hasPositions && code.CodedLayer[layer] >= 0, Bytes: BytesOf(layer))).ToArray();
        var kinds = sizes.Where(size => size.Bytes > 0).Distinct().ToList();
        KindBytes = [.. kinds.Select(kind => kind.Bytes)];
        PositionTokens = [.. kinds.Select(kind => kind.Positions ? BlockTokens : 0)];
        Kinds = [.. sizes.Select(size => kinds.IndexOf(size))];
    }

    /// <summary>The layers as the other method has them.</summary>
    internal CodedKvFormat Code => code;

    /// <summary>Whether positions are stored, four bytes a token and layer with a codec; otherwise keys are turned by slots.</summary>
    internal bool HasPositions { get; }

    /// <summary>Tokens of a coded block.</summary>
    internal int BlockTokens => code.CodeTokens;

    /// <summary>First of the kept tokens that stay raw.</summary>
    internal int Sinks => code.Options.Sinks;

    /// <summary>Newest tokens that stay raw.</summary>
    internal int Recent => code.Options.Recent;

    /// <summary>Bytes of a block, positions included, by kind: layers whose blocks are of one size share a pool.</summary>
    internal IReadOnlyList<long> KindBytes { get; }

    /// <summary>Positions that a block of a kind holds beside codes.</summary>
    internal IReadOnlyList<int> PositionTokens { get; }

    /// <summary>Kind of a layer's blocks; -1: the layer stays raw.</summary>
    internal IReadOnlyList<int> Kinds { get; }

    /// <summary>Where the coded slots of a layer begin whose tokens begin at a slot.</summary>
    internal int CodedStart(int start) => (start + (start == 0 ? Sinks : Math.Max(Sinks, movingSinks)) + BlockTokens - 1) / BlockTokens * BlockTokens;

    /// <summary>Where they end at a length.</summary>
    internal int CodedEnd(int codedStart, int length) => Math.Max(codedStart, (length - Recent) / BlockTokens * BlockTokens);

    /// <summary>Coded blocks of a layer whose tokens are at slots from one to a length.</summary>
    internal int Blocks(int start, int length)
    {
        var first = CodedStart(start);
        return (CodedEnd(first, length) - first) / BlockTokens;
    }

    /// <summary>Bytes of the records, or groups, of a block of a kind.</summary>
    internal long CodeBytes(int kind) => KindBytes[kind] - (PositionTokens[kind] * (long)sizeof(int));

    private long BytesOf(int layer) => code.KiviLayer[layer] is >= 0 and var quantised
        ? code.Shape.KeyHeads * (long)code.Kivi[quantised].HeadBytes(code.Shape.HeadDim)
        : code.CodedLayer[layer] is >= 0 and var coded ? (long)BlockTokens * (RecordLayout.Of(code.Codecs[coded]).Bytes + (HasPositions ? sizeof(int) : 0)) : 0;
}
