using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace DeltaKV.Chat;

/// <summary>Turns chat messages into the JSON that chat templates read. What a text model cannot read is refused by name.</summary>
internal static class MessageWriter
{
    internal static IEnumerable<JsonObject> Write(ChatMessage message, bool supportsTools)
    {
        var text = new List<string>();
        var reasoning = new List<string>();
        var calls = new JsonArray();
        var results = new List<JsonObject>();
        foreach (var content in message.Contents)
        {
            switch (content)
            {
                case TextContent part:
                    text.Add(part.Text);
                    break;
                case TextReasoningContent part:
                    reasoning.Add(part.Text);
                    break;
                case FunctionCallContent call when supportsTools:
                    calls.Add(WriteCall(call));
                    break;
                case FunctionResultContent result when supportsTools:
                    results.Add(WriteResult(result));
                    break;
                case UsageContent:
                    break;
                default:
                    throw new NotSupportedException($"A message of role '{message.Role}' contains {content.GetType().Name}, which this model cannot read.");
            }
        }
        foreach (var result in results)
            yield return result;
        if (results.Count > 0 && text.Count == 0)
            yield break;

        var json = new JsonObject { ["role"] = message.Role.Value, ["content"] = string.Concat(text) };
        if (reasoning.Count > 0)
            json["reasoning_content"] = string.Concat(reasoning);
        if (calls.Count > 0)
            json["tool_calls"] = calls;
        yield return json;
    }

    internal static JsonArray WriteTools(IEnumerable<AITool> tools)
    {
        var array = new JsonArray();
        foreach (var tool in tools)
        {
            if (tool is not AIFunctionDeclaration function)
                throw new NotSupportedException($"ChatOptions.Tools contains '{tool.Name}' of type {tool.GetType().Name}, which is not supported; expected functions.");
            array.Add(new JsonObject
            {
                ["type"] = "function",
                ["function"] = new JsonObject
                {
                    ["name"] = function.Name,
                    ["description"] = function.Description,
                    ["parameters"] = JsonNode.Parse(function.JsonSchema.GetRawText()),
                },
            });
        }
        return array;
    }

    private static JsonObject WriteCall(FunctionCallContent call) => new()
    {
        ["type"] = "function",
        ["id"] = call.CallId,
        ["function"] = new JsonObject
        {
            ["name"] = call.Name,
            ["arguments"] = JsonSerializer.SerializeToNode(call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>))),
        },
    };

    private static JsonObject WriteResult(FunctionResultContent result) => new()
    {
        ["role"] = ChatRole.Tool.Value,
        ["tool_call_id"] = result.CallId,
        ["content"] = result.Result switch
        {
            null => result.Exception is { } error ? $"Error: {error.Message}" : "",
            string text => text,
            JsonElement { ValueKind: JsonValueKind.String } element => element.GetString(),
            var value => JsonSerializer.Serialize(value, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(object))),
        },
    };
}
