using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache;

/// <summary>The device side of a key/value cache, layer by layer: all that the model knows of it. What is stored and which tokens are read is its business.</summary>
/// <typeparam name="T">Storage of activations and of uncompressed keys and values.</typeparam>
internal interface IKvLayers<T> : IDisposable
    where T : unmanaged
{
    /// <summary>The host side: who owns which memory.</summary>
    IKvCache Cache { get; }

    /// <summary>
    /// Copies tables and lengths of the step to fixed device addresses, before layer 0 and outside captured graphs, so that a graph
    /// replays with the tables of its step. A sequence with one row decodes, one with more has tiles, and those that decode come first.
    /// </summary>
    void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences);

    /// <summary>
    /// Whether the step prepared last, if it decodes only, is like every other of its size, so that a captured graph may run in its place. Not so when the host has
    /// something to do in <see cref="Attend"/> this time.
    /// </summary>
    bool MayReplay => true;

    /// <summary>Steps that decode only are alike where this is, too: a captured graph serves one value.</summary>
    int Variant => 0;

    /// <summary>Where the rotated keys and the values of this step's rows go. Always uncompressed blocks: compression comes later, in <see cref="IKvCache.Flush"/>.</summary>
    KvBlocks<T> Blocks(int layer);

    /// <summary>Attention of one layer, this step's keys and values being appended: q rows of <paramref name="qkv"/> in, <c>[rows, heads * headDim]</c> out.</summary>
    /// <remarks>No host sync and no allocation; capturable when the step decodes only.</remarks>
    void Attend(AcceleratorStream stream, int layer, ArrayView<T> qkv, in AttentionStep step, ArrayView<T> output);
}
