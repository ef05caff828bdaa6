using System.Buffers;
using System.Runtime.InteropServices;

namespace DeltaKV.Tokenization;

/// <summary>
/// Finds added tokens in text, leftmost first and the longest of those that start there: a trie behind a vectorised search for first
/// characters.
/// </summary>
internal sealed class AddedTokenMatcher
{
    private const int Root = 0;

    private readonly Dictionary<(int Node, char Character), int> edges = [];
    private readonly List<AddedToken?> tokenAt = [null];
    private readonly SearchValues<char> firstCharacters;

    internal AddedTokenMatcher(IEnumerable<AddedToken> tokens)
    {
        var first = new HashSet<char>();
        foreach (var token in tokens.Where(token => token.Matched.Length > 0))
        {
            first.Add(token.Matched[0]);
            Insert(token);
        }

        firstCharacters = SearchValues.Create([.. first]);
    }

    internal bool IsEmpty => edges.Count == 0;

    /// <summary>
    /// Finds the next match at or after <paramref name="start"/>. When <paramref name="parseSpecial"/> is false, special tokens are passed
    /// over as plain text; like in the reference implementation, the text they cover is then not searched for shorter tokens.
    /// </summary>
    internal bool TryFindNext(ReadOnlySpan<char> text, int start, bool parseSpecial, out AddedTokenMatch match)
    {
        var position = start;
        while (true)
        {
            var offset = text[position..].IndexOfAny(firstCharacters);
            if (offset < 0)
            {
                match = default;
                return false;
            }

            position += offset;
            var token = LongestAt(text, position);
            if (token is null)
            {
                position++;
                continue;
            }

            var end = position + token.Matched.Length;
            if (token.IsSpecial && !parseSpecial)
            {
                position = end;
                continue;
            }

            var matchStart = position;
            while (token.StripsLeft && matchStart > start && char.IsWhiteSpace(text[matchStart - 1]))
                matchStart--;
            while (token.StripsRight && end < text.Length && char.IsWhiteSpace(text[end]))
                end++;
            match = new AddedTokenMatch(token.Id, matchStart, end);
            return true;
        }
    }

    private AddedToken? LongestAt(ReadOnlySpan<char> text, int position)
    {
        var node = Root;
        AddedToken? longest = null;
        for (var i = position; i < text.Length && edges.TryGetValue((node, text[i]), out node); i++)
            longest = tokenAt[node] ?? longest;
        return longest;
    }

    private void Insert(AddedToken token)
    {
        var node = Root;
        foreach (var character in token.Matched)
        {
            ref var next = ref CollectionsMarshal.GetValueRefOrAddDefault(edges, (node, character), out var exists);
            if (!exists)
            {
                next = tokenAt.Count;
                tokenAt.Add(null);
            }

            node = next;
        }

        tokenAt[node] = token;
    }
}

/// <summary>An added token found in the text, with the whitespace it strips.</summary>
internal readonly record struct AddedTokenMatch(int Id, int Start, int End);
