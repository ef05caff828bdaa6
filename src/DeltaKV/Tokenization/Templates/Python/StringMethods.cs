using System.Text;

namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>The methods of a string.</summary>
internal static class StringMethods
{
    private static readonly Dictionary<string, Func<string, CallArguments, object?>> Methods = new()
    {
        ["strip"] = (text, arguments) => Strip(text, arguments.Bind("chars")[0], start: true, end: true),
        ["lstrip"] = (text, arguments) => Strip(text, arguments.Bind("chars")[0], start: true, end: false),
        ["rstrip"] = (text, arguments) => Strip(text, arguments.Bind("chars")[0], start: false, end: true),
        ["split"] = (text, arguments) => Splitting.Split(text, arguments),
        ["rsplit"] = (text, arguments) => Splitting.SplitFromEnd(text, arguments),
        ["splitlines"] = Plain(text => Splitting.Lines(text)),
        ["startswith"] = (text, arguments) => Any(arguments, prefix => text.StartsWith(prefix, StringComparison.Ordinal)),
        ["endswith"] = (text, arguments) => Any(arguments, suffix => text.EndsWith(suffix, StringComparison.Ordinal)),
        ["removeprefix"] = (text, arguments) => Without(text, arguments.Bind("prefix")[0].Text("prefix"), isPrefix: true),
        ["removesuffix"] = (text, arguments) => Without(text, arguments.Bind("suffix")[0].Text("suffix"), isPrefix: false),
        ["replace"] = (text, arguments) => Replace(text, arguments.Bind("old", "new", "count")),
        ["join"] = (text, arguments) => string.Join(text, PythonValue.Iterate(arguments.Bind("iterable")[0]).Select(item => item.Text("iterable"))),
        ["find"] = (text, arguments) => Find(text, text.IndexOf(arguments.Bind("sub")[0].Text("sub"), StringComparison.Ordinal)),
        ["rfind"] = (text, arguments) => Find(text, text.LastIndexOf(arguments.Bind("sub")[0].Text("sub"), StringComparison.Ordinal)),
        ["count"] = (text, arguments) => Count(text, arguments.Bind("sub")[0].Text("sub")),
        ["upper"] = Plain(text => text.ToUpperInvariant()),
        ["lower"] = Plain(text => text.ToLowerInvariant()),
        ["capitalize"] = Plain(text => Capitalize(text)),
        ["title"] = Plain(text => Title(text)),
        ["isdigit"] = Plain(text => text.Length > 0 && text.All(char.IsDigit)),
        ["isalpha"] = Plain(text => text.Length > 0 && text.All(char.IsLetter)),
        ["isspace"] = Plain(text => text.Length > 0 && text.All(PythonText.IsSpace)),
    };

    internal static TemplateFunction? Find(string text, string name) =>
        Methods.TryGetValue(name, out var method) ? new TemplateFunction(name, arguments => method(text, arguments)) : null;

    /// <summary><c>strip</c> and its halves: whitespace, or any of the given characters.</summary>
    internal static string Strip(string text, object? characters, bool start, bool end)
    {
        if (characters is CallArguments.Missing or null)
        {
            var trimmed = end ? PythonText.TrimEnd(text) : text;
            return (start ? PythonText.TrimStart(trimmed) : trimmed).ToString();
        }

        var set = characters.Text("chars").ToCharArray();
        if (set.Length == 0)
            return text;
        if (set.Any(char.IsSurrogate))
            throw new TemplateFault("stripping characters beyond U+FFFF is not supported.");
        var left = start ? text.TrimStart(set) : text;
        return end ? left.TrimEnd(set) : left;
    }

    internal static string Replace(string text, object?[] bound)
    {
        var (old, replacement, count) = (bound[0].Text("old"), bound[1].Text("new"), bound[2].Or(null) is null ? -1 : bound[2].Integer("count"));
        if (old.Length == 0)
            throw new TemplateFault("replacing the empty string is not supported.");
        if (count < 0)
            return text.Replace(old, replacement, StringComparison.Ordinal);
        var result = new StringBuilder();
        var position = 0;
        for (; count > 0 && text.IndexOf(old, position, StringComparison.Ordinal) is >= 0 and var found; count--)
        {
            result.Append(text, position, found - position).Append(replacement);
            position = found + old.Length;
        }

        return result.Append(text, position, text.Length - position).ToString();
    }

    internal static string Capitalize(string text) =>
        text.Length == 0 ? text : text[..1].ToUpperInvariant() + text[1..].ToLowerInvariant();

    /// <summary>An upper-case letter wherever a letter follows something that is none.</summary>
    internal static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var inWord = false;
        foreach (var character in text)
        {
            result.Append(inWord ? char.ToLowerInvariant(character) : char.ToUpperInvariant(character));
            inWord = char.IsLetter(character);
        }

        return result.ToString();
    }

    private static Func<string, CallArguments, object?> Plain(Func<string, object?> method) => (text, arguments) =>
    {
        arguments.Bind();
        return method(text);
    };

    private static string Without(string text, string affix, bool isPrefix)
    {
        if (isPrefix)
            return text.StartsWith(affix, StringComparison.Ordinal) ? text[affix.Length..] : text;
        return text.EndsWith(affix, StringComparison.Ordinal) ? text[..^affix.Length] : text;
    }

    private static bool Any(CallArguments arguments, Func<string, bool> matches) => arguments.Bind("prefix")[0] switch
    {
        object?[] choices => choices.Any(choice => matches(choice.Text("prefix"))),
        var single => matches(single.Text("prefix")),
    };

    private static long Find(string text, int index) => index < 0 ? -1 : PythonText.Length(text.AsSpan(0, index));

    private static long Count(string text, string part) =>
        part.Length == 0 ? PythonText.Length(text) + 1 : text.AsSpan().Count(part);
}
