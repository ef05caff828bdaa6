using System.Text.Json;
using Microsoft.Extensions.AI;

namespace DeltaKV.Chat;

/// <summary>Reads the JSON of a tool call: an object with a name and arguments.</summary>
internal static class ToolCallParser
{
    /// <summary>The call, or null when the text is not one.</summary>
    internal static FunctionCallContent? TryParse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
                return null;
            var arguments = new Dictionary<string, object?>();
            if (root.TryGetProperty("arguments", out var values))
            {
                if (values.ValueKind != JsonValueKind.Object)
                    return null;
                foreach (var value in values.EnumerateObject())
                    arguments[value.Name] = value.Value.Clone();
            }
            return new FunctionCallContent($"call_{Guid.NewGuid():N}", name.GetString()!, arguments);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
