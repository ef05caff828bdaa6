using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>
/// How a method's stored form becomes keys and values: the only thing attention knows of a method. Attention asks for tiles of 16 tokens of one head; the
/// reader writes them, bf16, keys after RoPE, into the calling warp's shared memory.
/// </summary>
/// <typeparam name="TSelf">The reader: an unmanaged struct of views, passed to kernels by value.</typeparam>
internal interface IKvReader<TSelf>
    where TSelf : unmanaged, IKvReader<TSelf>
{
    /// <summary>Writes a tile <c>[16][HeadDim / 8 + 1]</c> of 16 bytes (one column of padding keeps ldmatrix free of bank conflicts).</summary>
    /// <param name="reader">Where everything lies.</param>
    /// <param name="sequence">Row of the tables.</param>
    /// <param name="head">Key/value head.</param>
    /// <param name="isValue">Values instead of keys.</param>
    /// <param name="isCoded">The tile's tokens are in compressed form; otherwise raw. The same for the whole warp.</param>
    /// <param name="position">The position of token <c>lane % 16</c>; -1 for none, whose row becomes zeros.</param>
    /// <param name="tile">The warp's shared memory.</param>
    static abstract void Load<THead>(
        TSelf reader, int sequence, int head, bool isValue, bool isCoded, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead;
}
