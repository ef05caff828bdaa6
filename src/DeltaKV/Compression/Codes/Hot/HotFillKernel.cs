using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Hot;

/// <summary>Reconstructs the tokens of one layer that were selected and are not in the hot set, into the slots that they got.</summary>
/// <remarks>
/// Slots <c>[block][keyHead][16 slots][d]</c> bf16, keys and values. One warp per (16 misses, part), four parts to a group; groups beyond a row's misses end at once, so that the grid does not
/// depend on them; heads without history have nothing to fill in. Writes 2 bytes per element of a miss and reads what the reader reads.
/// </remarks>
internal sealed class HotFillKernel<TReader>(Accelerator accelerator)
    where TReader : unmanaged, IKvReader<TReader>
{
    private const int Warps = 4;

    private readonly KernelOfHeads<Arguments> kernels =
        new(accelerator, Kernel<Heads.Of64>, Kernel<Heads.Of80>, Kernel<Heads.Of96>, Kernel<Heads.Of128>);

    internal void Launch(AcceleratorStream stream, TReader reader, KvBlocks<BFloat16> slots, TokenRows rows, HotMaps maps, ulong windowHeads, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        var arguments = new Arguments
        {
            Reader = reader,
            Keys = slots.Keys.Cast<UInt4>(),
            Values = slots.Values.Cast<UInt4>(),
            Tables = slots.Tables,
            TableStride = slots.TableStride,
            Rows = rows,
            Maps = maps,
            WindowHeads = windowHeads,
            KeyHeads = shape.KeyHeads,
        };
        var grid = new Index3D((maps.ListStride + 15) / 16, ((2 * shape.KeyHeads) + Warps - 1) / Warps, rowCount);
        kernels.Launch(stream, shape.HeadDim, new KernelConfig(grid, new Index3D(32 * Warps, 1, 1)), arguments);
    }

    private static void Kernel<THead>(Arguments arguments)
        where THead : struct, IHead
    {
        var row = Grid.IdxZ;
        if (arguments.Rows.Positions[row] < 0)
            return;
        var sequence = arguments.Rows.Sequences[row];
        var first = Grid.IdxX * 16;
        var misses = arguments.Maps.MissCounts[sequence];
        var warp = Group.IdxX >> 5;
        var part = (Grid.IdxY * Warps) + warp;
        if (first >= misses || part >= 2 * arguments.KeyHeads)
            return;
        var chunks = THead.Dim / 8;
        var tile = SharedMemory.Allocate<UInt4>(Warps * 16 * ((THead.Dim / 8) + 1)).SubView(warp * 16 * (chunks + 1));
        var entry = ((long)sequence * arguments.Maps.ListStride) + Math.Min(first + (Warp.LaneIdx & 15), misses - 1);
        var position = first + (Warp.LaneIdx & 15) < misses ? arguments.Maps.MissPositions[entry] : -1;
        var slot = arguments.Maps.MissSlots[entry];
        var isValue = part >= arguments.KeyHeads;
        var head = isValue ? part - arguments.KeyHeads : part;
        if ((arguments.WindowHeads >> head & 1) != 0)
            return;
        TReader.Load<THead>(arguments.Reader, sequence, head, isValue, true, position, tile);
        Warp.Barrier();

        var block = arguments.Tables[(sequence * arguments.TableStride) + (slot >> HotSet.SlotShift)];
        var target = (((block * arguments.KeyHeads) + head) << HotSet.SlotShift) + (slot & ((1 << HotSet.SlotShift) - 1));
        var rows = isValue ? arguments.Values : arguments.Keys;
        for (var i = Warp.LaneIdx; i < 16 * chunks; i += 32)
        {
            var token = i / chunks;
            var at = Warp.Shuffle(target, token);
            if (first + token < misses)
                rows[((long)at * chunks) + (i % chunks)] = tile[(token * (chunks + 1)) + (i % chunks)];
        }
    }

    private struct Arguments
    {
        public TReader Reader;
        public ArrayView<UInt4> Keys;
        public ArrayView<UInt4> Values;
        public ArrayView<int> Tables;
        public int TableStride;
        public TokenRows Rows;
        public HotMaps Maps;
        public ulong WindowHeads;
        public int KeyHeads;
    }
}
