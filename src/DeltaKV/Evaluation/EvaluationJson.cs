using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeltaKV.Evaluation;

/// <summary>How evaluation writes JSON: camel case, enums by name.</summary>
internal static class EvaluationJson
{
    /// <summary>One object per line.</summary>
    public static JsonSerializerOptions Line { get; } = Create(indented: false);

    /// <summary>For people.</summary>
    public static JsonSerializerOptions Indented { get; } = Create(indented: true);

    private static JsonSerializerOptions Create(bool indented) => new(JsonSerializerDefaults.Web)
    {
        WriteIndented = indented,
        IgnoreReadOnlyProperties = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };
}
