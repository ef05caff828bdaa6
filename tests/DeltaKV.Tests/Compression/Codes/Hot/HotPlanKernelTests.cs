using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Hot;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Codes.Hot;

[Collection(KernelCollection.Name)]
public sealed class HotPlanKernelTests(KernelFixture device)
{
    private const int Tokens = 700;
    private const int Slots = 64;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Slots_go_from_the_least_recently_selected_to_the_missing(int seed)
    {
        var random = new Random(seed);
        // Row 0 is sequence 1, whose slots are at place 0; then a padding row.
        using var places = device.Upload([1, 0]);
        using var slotOf = device.Upload(Enumerable.Repeat(-1, 2 * Tokens).ToArray());
        using var positionOf = device.Upload(Enumerable.Repeat(-1, 2 * Slots).ToArray());
        using var lastPlan = device.Upload(new int[2 * Slots]);
        using var plans = device.Upload(new int[2]);
        using var lists = device.Poisoned<int>(2 * Slots);
        using var counts = device.Poisoned<int>(2);
        using var missPositions = device.Poisoned<int>(2 * Slots);
        using var missSlots = device.Poisoned<int>(2 * Slots);
        using var missCounts = device.Poisoned<int>(2);
        using var totals = device.Upload(new int[2]);
        using var bounds = device.Upload([new ReadBounds(16, 16), new ReadBounds(16, 16 + 640)]);
        using var sequences = device.Upload([1, 0]);
        using var rowPositions = device.Upload([690, -1]);
        using var selected = device.Upload(new int[2 * Slots]);
        using var selectedCounts = device.Upload(new int[2]);
        var maps = new HotMaps
        {
            Places = places.View, SlotOf = slotOf.View, TokenStride = Tokens, PositionOf = positionOf.View, LastPlan = lastPlan.View, Plans = plans.View, Slots = Slots,
            Lists = lists.View, Counts = counts.View, MissPositions = missPositions.View, MissSlots = missSlots.View, MissCounts = missCounts.View, ListStride = Slots, Totals = totals.View,
        };
        var kernel = new HotPlanKernel(device.Accelerator);
        var held = new Dictionary<int, (int Slot, int Plan)>();
        var (all, found) = (0, 0);
        for (var plan = 1; plan <= 12; plan++)
        {
            // Favourites that come back, and others.
            int[] wanted = [.. Enumerable.Range(0, random.Next(1, Slots + 1)).Select(_ => 16 + (random.Next(3) > 0 ? random.Next(60) : random.Next(640))).Distinct().Order()];
            selected.View.SubView(Slots, wanted.Length).BaseView.CopyFromCPU(device.Stream, wanted);
            selectedCounts.View.BaseView.CopyFromCPU(device.Stream, [0, wanted.Length]);
            kernel.Launch(device.Stream, new TokenRows(sequences.View, rowPositions.View), new TokenOrder(bounds.View, selected.View, selectedCounts.View, Slots), maps, 2);

            var slots = device.Download(lists, 2 * Slots)[Slots..(Slots + wanted.Length)];
            var misses = wanted.Where(position => !held.ContainsKey(position)).ToArray();
            (all, found) = (all + wanted.Length, found + wanted.Length - misses.Length);
            Assert.Equal(wanted.Length, device.Download(counts, 2)[1]);
            Assert.Equal(misses.Length, device.Download(missCounts, 2)[1]);
            Assert.Equal(misses, device.Download(missPositions, 2 * Slots)[Slots..(Slots + misses.Length)]);
            Assert.Equal(misses.Select(position => slots[Array.IndexOf(wanted, position)]), device.Download(missSlots, 2 * Slots)[Slots..(Slots + misses.Length)]);
            Assert.Equal(wanted.Length, slots.Distinct().Count());
            foreach (var (position, slot) in wanted.Zip(slots))
            {
                Assert.InRange(slot, 0, Slots - 1);
                if (held.TryGetValue(position, out var before))
                    Assert.Equal(before.Slot, slot);
            }

            // What was pushed out was selected no later than anything that stayed and is not wanted now.
            var given = misses.Select(position => slots[Array.IndexOf(wanted, position)]).ToHashSet();
            var lost = held.Where(token => given.Contains(token.Value.Slot)).ToArray();
            var stayed = held.Where(token => !given.Contains(token.Value.Slot) && !wanted.Contains(token.Key)).ToArray();
            if (lost.Length > 0 && stayed.Length > 0)
                Assert.True(lost.Max(token => token.Value.Plan) <= stayed.Min(token => token.Value.Plan), $"seed {seed}, plan {plan}");
            if (lost.Length > 0)
                Assert.Equal(Slots, held.Count - lost.Length + misses.Length);
            foreach (var token in lost)
                held.Remove(token.Key);
            foreach (var (position, slot) in wanted.Zip(slots))
                held[position] = (slot, plan);
            var map = slotOf.GetAsArray1D()[..Tokens];
            Assert.Equal(Enumerable.Range(0, Tokens).Select(position => held.TryGetValue(position, out var token) ? token.Slot : -1), map);
        }

        Assert.Equal([all, found], totals.GetAsArray1D());
        Assert.True(found > all / 4, "Too little comes back to test anything.");
    }
}
