using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>A part of the keys that a prompt attends to, where not all of them are there at once; parts follow each other from slot 0 on.</summary>
/// <param name="first">First slot, a multiple of 64.</param>
/// <param name="end">Slot after the last, a multiple of 64.</param>
/// <param name="sums">What the threads of every tile and head have summed so far <c>[tiles, queryHeads, headDim / 8 + 1, 128]</c>.</param>
internal readonly struct PrefillPart(int first, int end, ArrayView<Float4> sums)
{
    /// <summary>First slot.</summary>
    public readonly int First = first;

    /// <summary>Slot after the last.</summary>
    public readonly int End = end;

    /// <summary>Sums between parts.</summary>
    public readonly ArrayView<Float4> Sums = sums;

    /// <summary>Elements of the sums of a chunk of so many tokens.</summary>
    internal static long SumsOf(AttentionShape shape, int tokens) =>
        (long)PrefillTile.CountOf(tokens) * shape.QueryHeads * ((shape.HeadDim / 8) + 1) * PrefillAttentionKernel.GroupSize;
}
