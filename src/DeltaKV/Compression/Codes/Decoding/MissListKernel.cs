using DeltaKV.Compression.Codes.Hot;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>Lists what the hot set has no reconstruction of, row after row, and the slots that it gets.</summary>
/// <remarks>A thread per entry, which counts through the rows' misses to find its own; entries beyond the last miss are for no token. Writes 12 bytes per entry.</remarks>
internal sealed class MissListKernel(Accelerator accelerator)
{
    private const int Threads = 128;

    private readonly KernelHandle<Arguments> list = new(accelerator, Kernel);

    internal void Launch(
        AcceleratorStream stream, TokenRows rows, HotMaps maps, ArrayView<int> tables, int tableStride, int blockShift, int rowCount, ArrayView<DecodeToken> tokens, int first, int count) => list.Launch(
        stream,
        new KernelConfig((count + Threads - 1) / Threads, Threads),
        new Arguments
        {
            Rows = rows, Maps = maps, Tables = tables, TableStride = tableStride, BlockShift = blockShift, RowCount = rowCount, Tokens = tokens, First = first, Count = count,
        });

    private static void Kernel(Arguments arguments)
    {
        var index = (Grid.IdxX * Threads) + Group.IdxX;
        if (index >= arguments.Count)
            return;
        var left = arguments.First + index;
        var token = new DecodeToken { Sequence = 0, Position = -1, Slot = 0 };
        for (var row = 0; row < arguments.RowCount && token.Position < 0; row++)
        {
            // Plans of padding rows are old ones.
            if (arguments.Rows.Positions[row] < 0)
                continue;
            var sequence = arguments.Rows.Sequences[row];
            var misses = arguments.Maps.MissCounts[sequence];
            if (left < misses)
            {
                var entry = ((long)sequence * arguments.Maps.ListStride) + left;
                var slot = arguments.Maps.MissSlots[entry];
                var block = arguments.Tables[(sequence * arguments.TableStride) + (slot >> arguments.BlockShift)];
                token = new DecodeToken
                {
                    Sequence = sequence,
                    Position = arguments.Maps.MissPositions[entry],
                    Slot = (block << arguments.BlockShift) + (slot & ((1 << arguments.BlockShift) - 1)),
                };
            }

            left -= misses;
        }

        arguments.Tokens[index] = token;
    }

    private struct Arguments
    {
        public TokenRows Rows;
        public HotMaps Maps;
        public ArrayView<int> Tables;
        public int TableStride;
        public int BlockShift;
        public int RowCount;
        public ArrayView<DecodeToken> Tokens;
        public int First;
        public int Count;
    }
}
