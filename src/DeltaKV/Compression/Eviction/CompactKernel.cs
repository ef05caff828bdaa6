using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>Copies tokens that stay, listed per head in order of their slots, to the slots before a sequence's end, in blocks of their own.</summary>
/// <remarks>
/// Shapes: keys and values <c>[blocks, keyHeads, 64, d]</c> in 16-byte pieces, lists <c>[heads, listStride]</c>, a stride of 0 where heads have the same. One warp per token and head. Moves 8 d bytes per token and head:
/// bound by memory. RoPE is in the keys already, and attention does not ask which slot a token lies in.
/// </remarks>
internal sealed class CompactKernel(Accelerator accelerator)
{
    private const int Warps = 4;

    private readonly KernelHandle<Arguments> compact = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, Arguments arguments) => compact.Launch(
        stream,
        new KernelConfig(new Index3D((arguments.Count + Warps - 1) / Warps, arguments.KeyHeads, 1), new Index3D(32 * Warps, 1, 1)),
        arguments);

    private static void Kernel(Arguments arguments)
    {
        var index = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        if (index >= arguments.Count)
            return;
        index += arguments.First;
        var head = Grid.IdxY;
        var from = arguments.Lists[((long)head * arguments.ListStride) + index];
        var to = arguments.NewStart + index;
        var source = KvBlockLayout.RowOf(arguments.Source.Tables[from >> KvBlockLayout.Shift], arguments.KeyHeads, head, from);
        var block = arguments.Blocks[(to >> KvBlockLayout.Shift) - (arguments.NewStart >> KvBlockLayout.Shift)];
        var target = KvBlockLayout.RowOf(block, arguments.KeyHeads, head, to);
        for (var piece = Warp.LaneIdx; piece < arguments.Pieces; piece += 32)
        {
            arguments.Keys[(target * arguments.Pieces) + piece] = arguments.Source.Keys[(source * arguments.Pieces) + piece];
            arguments.Values[(target * arguments.Pieces) + piece] = arguments.Source.Values[(source * arguments.Pieces) + piece];
        }

        if (arguments.Marks.Length > 0 && Warp.IsFirstLane)
            arguments.Marks[target] = arguments.Marks[source];
        if (arguments.SourcePositions.Length > 0 && head == 0 && Warp.IsFirstLane)
            arguments.Positions[((long)block << KvBlockLayout.Shift) + (to & (KvBlockLayout.Size - 1))] = arguments.SourcePositions[from - arguments.FirstPosition];
    }

    internal struct Arguments
    {
        /// <summary>Where the tokens are, with the sequence's row of the table.</summary>
        public KvBlocks<UInt4> Source;
        public ArrayView<UInt4> Keys;
        public ArrayView<UInt4> Values;
        public ArrayView<float> Marks;
        public ArrayView<int> Positions;

        /// <summary>Positions of the tokens by slot, from <see cref="FirstPosition"/> on; or an empty view: nobody asks.</summary>
        public ArrayView<int> SourcePositions;
        public int FirstPosition;
        public ArrayView<int> Blocks;
        public ArrayView<int> Lists;
        public int ListStride;
        public int NewStart;
        /// <summary>The first of the tokens that is copied.</summary>
        public int First;
        public int Count;
        public int KeyHeads;
        public int Pieces;
    }
}
