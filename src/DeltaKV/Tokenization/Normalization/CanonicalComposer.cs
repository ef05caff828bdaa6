using System.Text;

namespace DeltaKV.Tokenization.Normalization;

/// <summary>
/// Unicode normalisation form C. Our own, because .NET does not normalise when globalisation is invariant, as it is in most containers.
/// Only the stretches that can change are decomposed and composed again; the rest is copied.
/// </summary>
internal static class CanonicalComposer
{
    private const char FirstUnsettled = '\u0300';

    /// <summary>The text in form C; the same memory when nothing changes.</summary>
    internal static ReadOnlySpan<char> Normalize(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAnyExceptInRange('\0', (char)(FirstUnsettled - 1)) < 0)
            return text;

        var data = CanonicalData.Instance;
        StringBuilder? result = null;
        var copied = 0;
        var previous = 0;
        for (var position = 0; position < text.Length;)
        {
            Rune.DecodeFromUtf16(text[position..], out var rune, out var length);
            if (rune.Value < FirstUnsettled || !data.IsUnsettled(rune.Value))
            {
                previous = position;
                position += length;
                continue;
            }

            // The character before may combine with this one, so the stretch starts there.
            var end = EndOfStretch(text, position, data);
            var stretch = text[Math.Max(previous, copied)..end];
            result ??= new StringBuilder(text.Length);
            result.Append(text[copied..Math.Max(previous, copied)]);
            AppendComposed(result, stretch, data);
            copied = previous = position = end;
        }

        return result is null ? text : result.Append(text[copied..]).ToString();
    }

    private static int EndOfStretch(ReadOnlySpan<char> text, int position, CanonicalData data)
    {
        while (position < text.Length)
        {
            Rune.DecodeFromUtf16(text[position..], out var rune, out var length);
            if (!data.IsUnsettled(rune.Value))
                break;
            position += length;
        }

        return position;
    }

    private static void AppendComposed(StringBuilder result, ReadOnlySpan<char> stretch, CanonicalData data)
    {
        var scalars = new List<int>(stretch.Length);
        foreach (var rune in stretch.EnumerateRunes())
            Decompose(rune.Value, scalars, data);
        Reorder(scalars, data);
        Compose(scalars, data);
        foreach (var scalar in scalars)
            result.Append(new Rune(scalar).ToString());
    }

    private static void Decompose(int scalar, List<int> output, CanonicalData data)
    {
        if (!Hangul.TryDecompose(scalar, out var parts) && !data.TryDecompose(scalar, out parts))
        {
            output.Add(scalar);
            return;
        }

        Decompose(parts.First, output, data);
        if (parts.Second is { } second)
            Decompose(second, output, data);
    }

    /// <summary>Sorts each run of combining marks by class, keeping the order within a class.</summary>
    private static void Reorder(List<int> scalars, CanonicalData data)
    {
        for (var i = 0; i < scalars.Count;)
        {
            var end = i;
            while (end < scalars.Count && data.CombiningClass(scalars[end]) != 0)
                end++;
            if (end - i > 1)
            {
                var ordered = scalars[i..end].OrderBy(data.CombiningClass).ToList();
                for (var k = 0; k < ordered.Count; k++)
                    scalars[i + k] = ordered[k];
            }

            i = Math.Max(end, i + 1);
        }
    }

    /// <summary>Joins each character to the last starter unless something between them blocks it.</summary>
    private static void Compose(List<int> scalars, CanonicalData data)
    {
        var starter = -1;
        var lastClass = 0;
        var kept = 0;
        foreach (var scalar in scalars.ToArray())
        {
            var combiningClass = data.CombiningClass(scalar);
            var adjacent = starter == kept - 1;
            if (starter >= 0 && (adjacent || (lastClass != 0 && lastClass < combiningClass)) && TryCompose(scalars[starter], scalar, data, out var composed))
            {
                scalars[starter] = composed;
                continue;
            }

            if (combiningClass == 0)
                starter = kept;
            lastClass = combiningClass;
            scalars[kept++] = scalar;
        }

        scalars.RemoveRange(kept, scalars.Count - kept);
    }

    private static bool TryCompose(int first, int second, CanonicalData data, out int composed) =>
        Hangul.TryCompose(first, second, out composed) || data.TryCompose(first, second, out composed);
}
