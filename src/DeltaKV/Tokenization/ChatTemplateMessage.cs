using System.Text.Json.Nodes;

namespace DeltaKV.Tokenization;

/// <summary>A message as chat templates see it.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>, as far as the template knows it.</param>
/// <param name="Content">What is said; null for an assistant that only calls tools.</param>
public sealed record ChatTemplateMessage(string Role, string? Content)
{
    /// <summary>Further fields, such as <c>tool_calls</c>, <c>tool_call_id</c> or <c>reasoning_content</c>.</summary>
    public JsonObject? Fields { get; init; }

    internal JsonObject ToJson()
    {
        var json = new JsonObject { ["role"] = Role, ["content"] = Content };
        foreach (var (name, value) in Fields ?? [])
            json[name] = value?.DeepClone();
        return json;
    }
}
