using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>The operands of one layer of a decoder: <c>y[t, n] = act(sum_k x[t, k] w[n, k] + b[n])</c>.</summary>
internal struct DecoderOperands : HiddenLayerTile.ILeftRows<DecoderOperands>
{
    /// <summary>The tokens; a tile whose first is none is left out.</summary>
    public ArrayView<DecodeToken> Tokens;

    /// <summary>x in eights of halves <c>[tokens, pitch]</c>, from the first that takes part on.</summary>
    public ArrayView<UInt4> Inputs;

    /// <summary>Eights of a row of x.</summary>
    public int InputPitch;

    /// <summary>Eights of a row of w.</summary>
    public int Chunks;

    /// <summary>w in eights of halves <c>[rows, chunks]</c>; gated: twice as many rows, gates first.</summary>
    public ArrayView<UInt4> Weights;

    /// <summary>b.</summary>
    public ArrayView<float> Biases;

    /// <summary>y in pairs of halves <c>[tokens, pitch]</c>, from the first that is written on.</summary>
    public ArrayView<uint> Outputs;

    /// <summary>Pairs of a row of y.</summary>
    public int OutputPitch;

    /// <summary>Columns of y; a multiple of 8.</summary>
    public int Columns;

    /// <summary>Tokens.</summary>
    public int Count;

    /// <inheritdoc/>
    public static ref UInt4 Piece(in DecoderOperands rows, int row, long at) => ref rows.Inputs[at];
}
