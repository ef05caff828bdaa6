using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Hot;

/// <summary>Splits what was selected for a row into tokens that are in slots and tokens that are not, and gives these the slots whose tokens were selected least recently.</summary>
/// <remarks>
/// One group per row. A pass over the selected tokens finds their slots and lists the misses; a histogram of the ages of all slots (plans since their token was selected, up to 255) says from which
/// age on slots are given away; a pass over the slots hands them out, oldest first, by a scan over the group. Some thousand entries from L2: bound by latency. Deterministic; nothing of it depends on the host.
/// </remarks>
internal sealed class HotPlanKernel(Accelerator accelerator)
{
    private const int Threads = 1024;
    private const int Ages = 256;

    private readonly KernelHandle<Arguments> plan = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, TokenRows rows, TokenOrder order, HotMaps maps, int rowCount)
    {
        if (rowCount > 0)
            plan.Launch(stream, new KernelConfig(rowCount, Threads), new Arguments { Rows = rows, Order = order, Maps = maps });
    }

    private static void Kernel(Arguments arguments)
    {
        var maps = arguments.Maps;
        // The whole group leaves together.
        if (arguments.Rows.Positions[Grid.IdxX] < 0)
            return;
        var sequence = arguments.Rows.Sequences[Grid.IdxX];
        var place = maps.Places[sequence];
        var limits = arguments.Order.Bounds[sequence];
        var selected = arguments.Order.SelectedOf(sequence, 0);
        // Where nothing is left out, all of history is selected; it is no longer than the budget.
        var count = Math.Min(selected < 0 ? limits.CodedEnd - limits.CodedStart : selected, maps.ListStride);
        var now = maps.Plans[place] + 1;
        var slotOf = maps.SlotOf.SubView((long)place * maps.TokenStride, maps.TokenStride);
        var list = maps.Lists.SubView((long)sequence * maps.ListStride, maps.ListStride);
        var missPositions = maps.MissPositions.SubView((long)sequence * maps.ListStride, maps.ListStride);
        var missSlots = maps.MissSlots.SubView((long)sequence * maps.ListStride, maps.ListStride);
        var positionOf = maps.PositionOf.SubView((long)place * maps.Slots, maps.Slots);
        var lastPlan = maps.LastPlan.SubView((long)place * maps.Slots, maps.Slots);
        var histogram = SharedMemory.Allocate<int>(Ages);
        ref var found = ref SharedMemory.Allocate<UInt2>();

        var misses = 0;
        for (var start = 0; start < count; start += Threads)
        {
            var index = start + Group.IdxX;
            var position = -1;
            var slot = 0;
            if (index < count)
            {
                position = arguments.Order.PositionAt(sequence, 0, limits, selected, count, int.MaxValue, true, index);
                slot = slotOf[position];
                list[index] = slot;
                if (slot >= 0)
                    lastPlan[slot] = now;
            }

            var scan = GroupScan.Exclusive(index < count && slot < 0 ? 1 : 0);
            if (index < count && slot < 0)
            {
                missPositions[misses + scan.Before] = position;
                // Where the slot's number goes, until it is known.
                missSlots[misses + scan.Before] = index;
            }

            misses += scan.Total;
        }

        for (var age = Group.IdxX; age < Ages; age += Threads)
            histogram[age] = 0;
        Group.Barrier();
        for (var slot = Group.IdxX; slot < maps.Slots; slot += Threads)
            Atomic.Add(ref histogram[AgeOf(lastPlan[slot], now)], 1);
        Group.Barrier();
        // From the oldest on: the age that the wanted number of slots ends in, and how many are older.
        var own = Group.IdxX < Ages ? histogram[Ages - 1 - Group.IdxX] : 0;
        var older = GroupScan.Exclusive(own).Before;
        if (misses > 0 && older < misses && misses <= older + own)
            found = new UInt2((uint)(Ages - 1 - Group.IdxX), (uint)older);
        Group.Barrier();
        if (misses > 0)
            HandOut(maps.Slots, lastPlan, positionOf, slotOf, list, missPositions, missSlots, misses, now, (int)found.X, (int)found.Y);

        if (Group.IdxX == 0)
        {
            maps.Plans[place] = now;
            maps.Counts[sequence] = count;
            maps.MissCounts[sequence] = misses;
            Atomic.Add(ref maps.Totals[0], count);
            Atomic.Add(ref maps.Totals[1], count - misses);
        }
    }

    /// <summary>Gives slots older than an age, then slots of that age, to the misses in order.</summary>
    private static void HandOut(
        int slots,
        ArrayView<int> lastPlan,
        ArrayView<int> positionOf,
        ArrayView<int> slotOf,
        ArrayView<int> list,
        ArrayView<int> missPositions,
        ArrayView<int> missSlots,
        int misses,
        int now,
        int oldest,
        int olderCount)
    {
        var older = 0;
        var equal = 0;
        for (var start = 0; start < slots; start += Threads)
        {
            var slot = start + Group.IdxX;
            var age = slot < slots ? AgeOf(lastPlan[slot], now) : 0;
            var isOlder = age > oldest;
            var isEqual = slot < slots && age == oldest;
            // Neither exceeds 2^15 at once.
            var scan = GroupScan.Exclusive(isOlder ? 1 : isEqual ? 1 << 16 : 0);
            var rank = isOlder ? older + (scan.Before & 0xffff) : olderCount + equal + (scan.Before >> 16);
            if ((isOlder || isEqual) && rank < misses)
            {
                var before = positionOf[slot];
                if (before >= 0)
                    slotOf[before] = -1;
                var position = missPositions[rank];
                list[missSlots[rank]] = slot;
                missSlots[rank] = slot;
                positionOf[slot] = position;
                slotOf[position] = slot;
                lastPlan[slot] = now;
            }

            older += scan.Total & 0xffff;
            equal += scan.Total >> 16;
        }
    }

    private static int AgeOf(int plan, int now) => Math.Min(now - plan, Ages - 1);

    private struct Arguments
    {
        public TokenRows Rows;
        public TokenOrder Order;
        public HotMaps Maps;
    }
}
