using System.Collections.Immutable;
using System.Text;

namespace DeltaKV.Engine;

/// <summary>
/// Finds stop sequences in text that arrives in pieces, however it is cut, and holds back only what could still become one.
/// </summary>
/// <remarks>The first stop sequence to be complete wins, the longest if two end together; so the result does not depend on the pieces.</remarks>
internal sealed class StopSequenceMatcher(ImmutableArray<string> stops)
{
    private readonly StringBuilder held = new();

    /// <summary>The stop sequence that was reached.</summary>
    internal string? Matched { get; private set; }

    /// <summary>Takes the next piece; returns the text that is certain to belong to the answer.</summary>
    internal string Append(string piece)
    {
        if (stops.IsEmpty)
            return piece;
        if (Matched is not null || piece.Length == 0)
            return "";
        foreach (var character in piece)
        {
            held.Append(character);
            foreach (var stop in stops)
            {
                if (EndsWith(stop, stop.Length) && stop.Length > (Matched?.Length ?? 0))
                    Matched = stop;
            }
            if (Matched is not null)
            {
                held.Length -= Matched.Length;
                return Take(held.Length);
            }
        }
        return Take(held.Length - LongestPossibleBeginning());
    }

    /// <summary>The text held back, when no more will come.</summary>
    internal string Flush() => Take(held.Length);

    private int LongestPossibleBeginning()
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, held.Length); length > longest; length--)
            {
                if (EndsWith(stop, length))
                    longest = length;
            }
        }
        return longest;
    }

    private bool EndsWith(string stop, int length)
    {
        if (held.Length < length)
            return false;
        for (var i = 0; i < length; i++)
        {
            if (held[held.Length - length + i] != stop[i])
                return false;
        }
        return true;
    }

    private string Take(int length)
    {
        if (length == 0)
            return "";
        var text = held.ToString(0, length);
        held.Remove(0, length);
        return text;
    }
}
