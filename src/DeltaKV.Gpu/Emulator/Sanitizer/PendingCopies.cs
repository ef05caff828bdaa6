namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// Which asynchronous copies of a block's threads have arrived for certain. A copy belongs to the group that its thread commits next, and a wait ends groups in order. The emulator copies at once, the earliest
/// moment; this knows the latest.
/// </summary>
internal sealed class PendingCopies
{
    // Groups whose end is remembered: older ones ended long ago.
    private const uint Remembered = 16;

    private readonly uint[] committed = new uint[Block.MaxWarps * Warp.Lanes];
    private readonly uint[] ended = new uint[Block.MaxWarps * Warp.Lanes];
    private readonly (uint Epoch, uint WarpEpoch)[] ends = new (uint, uint)[Block.MaxWarps * Warp.Lanes * Remembered];

    public void BeginBlock()
    {
        Array.Clear(committed);
        Array.Clear(ended);
    }

    /// <summary>The group that a thread's next copy belongs to, from 1 on.</summary>
    public uint NextGroup(int thread) => committed[thread] + 1;

    public void Commit(int thread) => committed[thread]++;

    /// <summary>The thread waits until no more than so many of its newest groups are on their way.</summary>
    public void Wait(int thread, uint newest, uint epoch, uint warpEpoch)
    {
        for (; ended[thread] + newest < committed[thread]; ended[thread]++)
            ends[Place(thread, ended[thread] + 1)] = (epoch, warpEpoch);
    }

    /// <summary>Whether nobody has waited for a group.</summary>
    public bool IsPending(int thread, uint group) => group > ended[thread];

    /// <summary>When a group that is not pending was waited for; false: too long ago to matter.</summary>
    public bool TryEnd(int thread, uint group, out uint epoch, out uint warpEpoch)
    {
        (epoch, warpEpoch) = ends[Place(thread, group)];
        return group + Remembered > ended[thread];
    }

    private static uint Place(int thread, uint group) => ((uint)thread * Remembered) + (group % Remembered);
}
