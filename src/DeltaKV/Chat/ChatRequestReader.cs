using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeltaKV.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Chat;

/// <summary>Reads <see cref="ChatOptions"/>: every field is honoured or refused with <see cref="NotSupportedException"/> naming it.</summary>
internal static class ChatRequestReader
{
    internal static ChatRequest Read(IChatClient client, LlmEngine engine, ChatFormat format, ChatOptions? options)
    {
        options ??= new ChatOptions();
        Refuse(options, engine);
        var sampling = ReadSampling(client, engine, options);
        var variables = new Dictionary<string, JsonNode?>();
        ReadReasoning(options, format, variables);
        sampling = ReadAdditional(options, sampling, format, variables);
        return new ChatRequest(sampling, ReadTools(options, format), variables, options.Instructions, options.ConversationId)
        {
            DropsReasoning = options.Reasoning?.Output == ReasoningOutput.None,
        };
    }

    private static void Refuse(ChatOptions options, LlmEngine engine)
    {
        if (options.ModelId is { } model && model != engine.ModelName)
            throw Unsupported(nameof(ChatOptions.ModelId), $"is '{model}', but this client runs '{engine.ModelName}'");
        if (options.ResponseFormat is not (null or ChatResponseFormatText))
            throw Unsupported(nameof(ChatOptions.ResponseFormat), "asks for JSON; only text is supported");
        if (options.AllowBackgroundResponses == true)
            throw Unsupported(nameof(ChatOptions.AllowBackgroundResponses), "is true");
        if (options.ContinuationToken is not null)
            throw Unsupported(nameof(ChatOptions.ContinuationToken), "is set");
        if (options.AllowMultipleToolCalls == false && options.Tools is { Count: > 0 })
            throw Unsupported(nameof(ChatOptions.AllowMultipleToolCalls), "is false; the model decides how often it calls");
    }

    private static SamplingOptions ReadSampling(IChatClient client, LlmEngine engine, ChatOptions options)
    {
        var sampling = options.RawRepresentationFactory?.Invoke(client) switch
        {
            null => engine.DefaultSampling,
            SamplingOptions raw => raw,
            var other => throw Unsupported(nameof(ChatOptions.RawRepresentationFactory), $"gave {other.GetType().Name}; expected {nameof(SamplingOptions)}"),
        };
        return sampling with
        {
            Temperature = options.Temperature ?? sampling.Temperature,
            TopK = options.TopK ?? sampling.TopK,
            TopP = options.TopP ?? sampling.TopP,
            FrequencyPenalty = options.FrequencyPenalty ?? sampling.FrequencyPenalty,
            PresencePenalty = options.PresencePenalty ?? sampling.PresencePenalty,
            Seed = options.Seed ?? sampling.Seed,
            MaxTokens = options.MaxOutputTokens ?? sampling.MaxTokens,
            StopSequences = options.StopSequences is { } stops ? [.. stops] : sampling.StopSequences,
        };
    }

    private static JsonArray? ReadTools(ChatOptions options, ChatFormat format)
    {
        if (options.ToolMode is RequiredChatToolMode)
            throw Unsupported(nameof(ChatOptions.ToolMode), "requires a call; the model decides whether it calls");
        if (options.Tools is not { Count: > 0 } tools || options.ToolMode is NoneChatToolMode)
            return null;
        if (!format.SupportsTools)
            throw Unsupported(nameof(ChatOptions.Tools), "is set, but this model's chat template has no <tool_call> format");
        return MessageWriter.WriteTools(tools);
    }

    private static void ReadReasoning(ChatOptions options, ChatFormat format, Dictionary<string, JsonNode?> variables)
    {
        if (options.Reasoning is not { } reasoning)
            return;
        if (reasoning.Output == ReasoningOutput.Summary)
            throw Unsupported("Reasoning.Output", "asks for a summary; only none or the full reasoning is supported");
        if (reasoning.Effort is not (null or ReasoningEffort.None))
            throw Unsupported("Reasoning.Effort", $"is {reasoning.Effort}; the model cannot be told how much to think, only not to (None)");
        if (reasoning.Effort == ReasoningEffort.None && format.SupportsThinking)
            SetThinking(false, "Reasoning.Effort", format, variables);
    }

    private static SamplingOptions ReadAdditional(ChatOptions options, SamplingOptions sampling, ChatFormat format, Dictionary<string, JsonNode?> variables)
    {
        foreach (var (name, value) in options.AdditionalProperties ?? [])
        {
            switch (name)
            {
                case "min_p":
                    sampling = sampling with { MinP = ToSingle(name, value) };
                    break;
                case "repetition_penalty":
                    sampling = sampling with { RepetitionPenalty = ToSingle(name, value) };
                    break;
                case "ignore_eos":
                    sampling = sampling with { IgnoreEos = ToBool(name, value) };
                    break;
                case "logit_bias" when value is IEnumerable<KeyValuePair<int, float>> bias:
                    sampling = sampling with { LogitBias = bias.ToImmutableDictionary() };
                    break;
                case "enable_thinking":
                    SetThinking(ToBool(name, value), Property(name), format, variables);
                    break;
                default:
                    throw Unsupported(Property(name), "is not known, or its value is of an unexpected type; known are min_p, repetition_penalty, ignore_eos, logit_bias and enable_thinking");
            }
        }
        return sampling;
    }

    private static void SetThinking(bool enabled, string field, ChatFormat format, Dictionary<string, JsonNode?> variables)
    {
        if (!format.ThinkingIsOptional)
            throw Unsupported(field, "is set, but this model's chat template has no enable_thinking");
        variables["enable_thinking"] = enabled;
    }

    private static float ToSingle(string name, object? value)
    {
        try
        {
            return value is JsonElement element ? element.GetSingle() : Convert.ToSingle(value, CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is FormatException or InvalidCastException or InvalidOperationException or OverflowException)
        {
            throw Unsupported(Property(name), $"is '{value}'; expected a number");
        }
    }

    private static bool ToBool(string name, object? value) => value switch
    {
        bool flag => flag,
        JsonElement { ValueKind: JsonValueKind.True } => true,
        JsonElement { ValueKind: JsonValueKind.False } => false,
        _ => throw Unsupported(Property(name), $"is '{value}'; expected true or false"),
    };

    private static string Property(string name) => $"AdditionalProperties[\"{name}\"]";

    private static NotSupportedException Unsupported(string field, string what) => new($"ChatOptions.{field} {what}.");
}
