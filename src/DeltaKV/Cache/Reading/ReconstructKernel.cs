using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>
/// Writes what a reader reads as plain blocks: the tokens of a sequence, coded or raw, all or without what is not selected, where the p-th is slot <c>p mod 64</c> of block <c>p / 64</c>,
/// counted from an origin on.
/// The unfused way: reconstruct once, then attend as to raw blocks.
/// </summary>
/// <remarks>
/// Shapes: keys and values <c>[blocks, keyHeads, 64, d]</c> bf16. One warp per (16 tokens, part), four parts to a group. Writes 2 bytes per element
/// and reads what the reader reads: pays off when many query tiles read the same tokens, and is the reference of the fused kernels.
/// </remarks>
internal sealed class ReconstructKernel<TReader>(Accelerator accelerator)
    where TReader : unmanaged, IKvReader<TReader>
{
    private const int Warps = 4;

    private readonly KernelOfHeads<Arguments> kernels =
        new(accelerator, Kernel<Heads.Of64>, Kernel<Heads.Of80>, Kernel<Heads.Of96>, Kernel<Heads.Of128>);

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="reader">What to read.</param>
    /// <param name="order">Which tokens are coded, and which of them are read.</param>
    /// <param name="sequence">Row of the tables.</param>
    /// <param name="length">Tokens of the sequence.</param>
    /// <param name="leftOut">How many of them are not selected, for any head; a multiple of 16.</param>
    /// <param name="keys">Where keys go.</param>
    /// <param name="values">Where values go.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="rawOnly">Coded tokens are there already.</param>
    /// <param name="origin">A multiple of 64 below which nothing is written.</param>
    /// <param name="end">A multiple of 64 from which on nothing is written.</param>
    internal void Launch(
        AcceleratorStream stream,
        TReader reader,
        TokenOrder order,
        int sequence,
        int length,
        int leftOut,
        ArrayView<BFloat16> keys,
        ArrayView<BFloat16> values,
        AttentionShape shape,
        bool rawOnly = false,
        int origin = 0,
        int end = int.MaxValue)
    {
        end = Math.Min(end, length - leftOut);
        if (end <= origin)
            return;
        var arguments = new Arguments
        {
            Reader = reader,
            Order = order,
            Keys = keys.Cast<UInt4>(),
            Values = values.Cast<UInt4>(),
            KeyHeads = shape.KeyHeads,
            Sequence = sequence,
            Length = length,
            RawOnly = rawOnly ? 1 : 0,
            Origin = origin,
        };
        // A warp per part, so that a group reads the same records.
        var grid = new Index3D((end - origin + 15) / 16, ((2 * shape.KeyHeads) + Warps - 1) / Warps, 1);
        kernels.Launch(stream, shape.HeadDim, new KernelConfig(grid, new Index3D(32 * Warps, 1, 1)), arguments);
    }

    private static void Kernel<THead>(Arguments arguments)
        where THead : struct, IHead
    {
        var warp = Group.IdxX >> 5;
        var part = (Grid.IdxY * Warps) + warp;
        var sequence = arguments.Sequence;
        var first = arguments.Origin + (Grid.IdxX * 16);
        if (part >= 2 * arguments.KeyHeads)
            return;
        var chunks = THead.Dim / 8;
        var tile = SharedMemory.Allocate<UInt4>(Warps * 16 * ((THead.Dim / 8) + 1)).SubView(warp * 16 * (chunks + 1));
        var isValue = part >= arguments.KeyHeads;
        var head = isValue ? part - arguments.KeyHeads : part;
        // Nobody attends to plain blocks of a head without history.
        if (!arguments.Order.ReadsHistory(head))
            return;
        var limits = arguments.Order.Bounds[sequence];
        var selected = arguments.Order.SelectedOf(sequence, head);
        var codedCount = selected < 0 ? limits.CodedEnd - limits.CodedStart : selected;
        // Both ends of the coded range are multiples of 16.
        var isCoded = first >= limits.CodedStart && first < limits.CodedStart + codedCount;
        if (isCoded && arguments.RawOnly != 0)
            return;
        var start = arguments.Order.StartOf(sequence);
        var index = first + (Warp.LaneIdx & 15) - (isCoded ? limits.CodedStart : first < limits.CodedStart ? start : start + codedCount);
        var position = arguments.Order.PositionAt(sequence, head, limits, selected, codedCount, arguments.Length, isCoded, index);
        position = index >= 0 && position < arguments.Length ? position : -1;
        TReader.Load<THead>(arguments.Reader, sequence, head, isValue, isCoded, position, tile);
        Warp.Barrier();

        var block = (long)((first - arguments.Origin) / KvBlockLayout.Size);
        var target = (isValue ? arguments.Values : arguments.Keys)
            .SubView(((((block * arguments.KeyHeads) + head) * KvBlockLayout.Size) + (first % KvBlockLayout.Size)) * chunks);
        for (var i = Warp.LaneIdx; i < 16 * chunks; i += 32)
            target[i] = tile[(i / chunks * (chunks + 1)) + (i % chunks)];
    }

    private struct Arguments
    {
        public TReader Reader;
        public TokenOrder Order;
        public ArrayView<UInt4> Keys;
        public ArrayView<UInt4> Values;
        public int KeyHeads;
        public int Sequence;
        public int Length;
        public int RawOnly;
        public int Origin;
    }
}
