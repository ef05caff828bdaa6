using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>From JSON to the values of a template, as Python's <c>json.loads</c> does it.</summary>
internal static class JsonConversion
{
    internal static object? FromJson(JsonNode? node) => node switch
    {
        null => null,
        JsonArray array => array.Select(FromJson).ToList(),
        JsonObject map => FromObject(map),
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String => node.ToString(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => FromNumber(node.ToJsonString()),
            _ => null,
        },
    };

    private static TemplateMap FromObject(JsonObject source)
    {
        var map = new TemplateMap();
        foreach (var (key, value) in source)
            map[key] = FromJson(value);
        return map;
    }

    private static object FromNumber(string text)
    {
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0)
            return double.Parse(text, CultureInfo.InvariantCulture);
        return long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? (object)number : BigInteger.Parse(text, CultureInfo.InvariantCulture);
    }
}
