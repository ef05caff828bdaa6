namespace DeltaKV.Engine;

/// <summary>Sequences in order of arrival, the oldest first.</summary>
internal sealed class SequenceQueue
{
    private readonly List<Sequence> items = [];

    internal int Count => items.Count;

    internal Sequence Youngest => items[^1];

    internal Sequence this[int index] => items[index];

    internal void Insert(Sequence sequence)
    {
        var index = items.Count;
        while (index > 0 && items[index - 1].Arrival > sequence.Arrival)
            index--;
        items.Insert(index, sequence);
    }

    internal void Remove(Sequence sequence)
    {
        if (!items.Remove(sequence))
            throw new InvalidOperationException("The sequence is not in this queue.");
    }
}
