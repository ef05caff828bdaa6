using System.Text.Json;

namespace DeltaKV.Tokenization;

/// <summary>Reading JSON with errors that name the field.</summary>
internal static class TokenizerJson
{
    internal static JsonElement Required(this JsonElement parent, string name) =>
        parent.Optional(name) ?? throw new TokenizerFormatException($"The field '{name}' is missing.");

    /// <summary>The field, or null when it is absent or JSON null.</summary>
    internal static JsonElement? Optional(this JsonElement parent, string name)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            throw new TokenizerFormatException($"Expected a JSON object with the field '{name}', found a {parent.ValueKind}.");
        return parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    internal static IEnumerable<JsonElement> Elements(this JsonElement value, string name) => value.ValueKind == JsonValueKind.Array
        ? value.EnumerateArray()
        : throw new TokenizerFormatException($"The field '{name}' must be an array, found a {value.ValueKind}.");

    internal static string Text(this JsonElement value, string name) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new TokenizerFormatException($"The field '{name}' must be a string, found a {value.ValueKind}.");

    internal static int Integer(this JsonElement value, string name) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
        ? number
        : throw new TokenizerFormatException($"The field '{name}' must be a 32-bit integer, found {value.GetRawText()}.");

    /// <summary>A boolean field; false when absent.</summary>
    internal static bool Flag(this JsonElement parent, string name) => parent.Optional(name)?.ValueKind switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        var kind => throw new TokenizerFormatException($"The field '{name}' must be a boolean, found a {kind}."),
    };

    internal static string TypeName(this JsonElement part) => part.Required("type").Text("type");
}
