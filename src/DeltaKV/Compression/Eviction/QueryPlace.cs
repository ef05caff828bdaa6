namespace DeltaKV.Compression.Eviction;

/// <summary>Where a prompt's last queries are kept until its end, if they rank it.</summary>
internal sealed class QueryPlace(EvictingKvCache owner)
{
    /// <summary>The place; -1: nowhere.</summary>
    internal int Slot { get; private set; } = -1;

    /// <summary>Position of the first query that is kept there.</summary>
    internal int First { get; private set; }

    /// <summary>Finds a place for the last queries of a prompt that are not computed yet.</summary>
    internal bool TryTake(int computed, int promptLength)
    {
        if (!owner.TryTakeQuerySlot(out var slot))
            return false;
        (Slot, First) = (slot, Math.Max(computed, promptLength - owner.Format.Window));
        return true;
    }

    /// <summary>Lets go of it.</summary>
    internal void Return()
    {
        if (Slot >= 0)
            owner.ReturnQuerySlot(Slot);
        Slot = -1;
    }
}
