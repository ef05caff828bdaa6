using DeltaKV.Gpu.Emulator;

namespace DeltaKV.Gpu.Runtime;

/// <summary>The live allocations of one accelerator, sorted by address. Readers take no lock: they see a snapshot.</summary>
internal sealed class AllocationMap : IMemoryMap
{
    private readonly Lock gate = new();
    private volatile Interval[] intervals = [];

    /// <summary>The number of live allocations.</summary>
    internal int Count => intervals.Length;

    public bool Contains(nuint address, int bytes) => Contains(address, (long)bytes);

    public string Describe(nuint address)
    {
        var snapshot = intervals;
        var index = IndexOfLastAtOrBelow(snapshot, address);
        if (index < 0)
            return snapshot.Length == 0 ? "there is no live buffer" : $"{snapshot[0].Start - address} bytes before the first buffer ({snapshot[0]})";
        var nearest = snapshot[index];
        return address < nearest.End
            ? $"byte {address - nearest.Start} of a buffer of {nearest}"
            : $"{address - nearest.End} bytes past the end of a buffer of {nearest}";
    }

    internal void Add(nint address, long bytes)
    {
        lock (gate)
        {
            var old = intervals;
            var at = IndexOfLastAtOrBelow(old, (nuint)address) + 1;
            var grown = new Interval[old.Length + 1];
            Array.Copy(old, grown, at);
            grown[at] = new Interval((nuint)address, (nuint)address + (nuint)bytes);
            Array.Copy(old, at, grown, at + 1, old.Length - at);
            intervals = grown;
        }
    }

    internal void Remove(nint address)
    {
        lock (gate)
            intervals = Array.FindAll(intervals, interval => interval.Start != (nuint)address);
    }

    /// <summary>Whether the bytes lie within one live allocation.</summary>
    internal bool Contains(nuint address, long bytes)
    {
        var snapshot = intervals;
        var index = IndexOfLastAtOrBelow(snapshot, address);
        return index >= 0 && bytes >= 0 && address + (nuint)bytes <= snapshot[index].End;
    }

    private static int IndexOfLastAtOrBelow(Interval[] sorted, nuint address)
    {
        var low = 0;
        var high = sorted.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (sorted[middle].Start <= address)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return high;
    }

    private readonly record struct Interval(nuint Start, nuint End)
    {
        public override string ToString() => $"{End - Start} bytes at 0x{Start:x}";
    }
}
