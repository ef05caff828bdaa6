using System.Buffers;

namespace DeltaKV.Tokenization.Templates.Python;

/// <summary><c>split</c>, <c>rsplit</c> and <c>splitlines</c>.</summary>
internal static class Splitting
{
    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\n\r\v\f\u001C\u001D\u001E\u0085\u2028\u2029");

    internal static List<object?> Split(string text, CallArguments arguments)
    {
        var (separator, most) = Read(arguments);
        if (separator is null)
            return AtSpaces(text, most);
        var parts = new List<object?>();
        var position = 0;
        while (parts.Count < most && text.IndexOf(separator, position, StringComparison.Ordinal) is >= 0 and var found)
        {
            parts.Add(text[position..found]);
            position = found + separator.Length;
        }

        parts.Add(text[position..]);
        return parts;
    }

    internal static List<object?> SplitFromEnd(string text, CallArguments arguments)
    {
        var (separator, most) = Read(arguments);
        if (separator is null)
            return most == long.MaxValue ? AtSpaces(text, most) : throw new TemplateFault("'rsplit' at whitespace with a limit is not supported.");
        var parts = new List<object?>();
        while (parts.Count < most && text.LastIndexOf(separator, StringComparison.Ordinal) is >= 0 and var found)
        {
            parts.Add(text[(found + separator.Length)..]);
            text = text[..found];
        }

        parts.Add(text);
        parts.Reverse();
        return parts;
    }

    /// <summary>The lines without their ends; no empty line after a last line break.</summary>
    internal static List<object?> Lines(string text)
    {
        var lines = new List<object?>();
        for (var position = 0; position < text.Length;)
        {
            var end = text.AsSpan(position).IndexOfAny(LineEnds);
            if (end < 0)
            {
                lines.Add(text[position..]);
                break;
            }

            end += position;
            lines.Add(text[position..end]);
            position = end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1);
        }

        return lines;
    }

    private static List<object?> AtSpaces(string text, long most)
    {
        var parts = new List<object?>();
        var rest = PythonText.TrimStart(text);
        while (rest.Length > 0)
        {
            var end = 0;
            while (end < rest.Length && !PythonText.IsSpace(rest[end]))
                end++;
            if (parts.Count == most)
            {
                parts.Add(rest.ToString());
                break;
            }

            parts.Add(rest[..end].ToString());
            rest = PythonText.TrimStart(rest[end..]);
        }

        return parts;
    }

    private static (string? Separator, long Most) Read(CallArguments arguments)
    {
        var bound = arguments.Bind("sep", "maxsplit");
        var separator = bound[0].Or(null) is null ? null : bound[0].Text("sep");
        if (separator is "")
            throw new TemplateFault("splitting at the empty string is an error.");
        var most = bound[1].Integer("maxsplit", -1);
        return (separator, most < 0 ? long.MaxValue : most);
    }
}
