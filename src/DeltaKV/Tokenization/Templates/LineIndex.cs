namespace DeltaKV.Tokenization.Templates;

/// <summary>From positions in a source to its lines, counted from 1.</summary>
internal sealed class LineIndex
{
    private readonly List<int> breaks = [];

    internal LineIndex(string source)
    {
        for (var at = source.IndexOf('\n', StringComparison.Ordinal); at >= 0; at = source.IndexOf('\n', at + 1))
            breaks.Add(at);
    }

    internal int LineOf(int position)
    {
        var index = breaks.BinarySearch(position);
        return 1 + (index < 0 ? ~index : index);
    }
}
