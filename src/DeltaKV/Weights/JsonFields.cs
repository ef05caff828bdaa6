using System.Text.Json;

namespace DeltaKV.Weights;

/// <summary>Typed access to the fields of a JSON object; a wrong type is a <see cref="ModelFormatException"/> naming file and field.</summary>
internal readonly struct JsonFields(JsonElement element, string file, string prefix = "")
{
    internal JsonElement Element => element;

    internal string File => file;

    /// <summary>Loads a JSON file whose root must be an object without duplicate names.</summary>
    internal static JsonDocument Load(string path)
    {
        try
        {
            return Parse(System.IO.File.ReadAllBytes(path), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, $"cannot be read: {exception.Message}", exception);
        }
    }

    internal static JsonDocument Parse(ReadOnlyMemory<byte> json, string path)
    {
        try
        {
            var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
            throw new ModelFormatException(path, "the root is not a JSON object");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ModelFormatException(path, $"is not valid JSON: {exception.Message}", exception);
        }
    }

    internal bool Has(string name) => Find(name) is not null;

    /// <summary>The field is in the file, even as null. Transformers fills absent fields with class defaults, but not null ones.</summary>
    internal bool Mentions(string name) => element.TryGetProperty(name, out _);

    internal int Int(string name) => OptionalInt(name) ?? throw Fault(name, "is missing");

    internal int? OptionalInt(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw Wrong(name, value, "an integer");
    }

    internal double Double(string name) => OptionalDouble(name) ?? throw Fault(name, "is missing");

    internal double? OptionalDouble(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw Wrong(name, value, "a finite number");
    }

    internal bool? OptionalBool(string name) => Find(name) is not { } value
        ? null
        : value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, value, "true or false"),
        };

    internal string? OptionalString(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return Text(value) ?? throw Wrong(name, value, "a string");
    }

    internal JsonFields? Object(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Object ? new JsonFields(value, file, $"{prefix}{name}.") : throw Wrong(name, value, "an object");
    }

    /// <summary>An integer, or a list of them; empty when absent.</summary>
    internal IReadOnlyList<int> IntegerOrList(string name)
    {
        if (Find(name) is not { } value)
            return [];
        if (value.ValueKind != JsonValueKind.Array)
            return [Int(name)];
        var numbers = new List<int>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var number))
                throw Wrong(name, value, "an integer or a list of integers");
            numbers.Add(number);
        }
        return numbers;
    }

    internal IReadOnlyList<string> StringList(string name)
    {
        if (Find(name) is not { } value)
            return [];
        if (value.ValueKind != JsonValueKind.Array)
            throw Wrong(name, value, "a list of strings");
        var texts = new List<string>();
        foreach (var item in value.EnumerateArray())
            texts.Add(Text(item) ?? throw Wrong(name, value, "a list of strings"));
        return texts;
    }

    internal ModelFormatException Fault(string name, string reason) => new(file, $"'{prefix}{name}' {reason}");

    /// <summary>The string, or null when the element is none or holds an escaped lone surrogate.</summary>
    internal static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private ModelFormatException Wrong(string name, JsonElement value, string expected)
    {
        var text = value.GetRawText();
        return Fault(name, $"is {(text.Length <= 80 ? text : text[..80] + "...")}, expected {expected}");
    }

    private JsonElement? Find(string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
