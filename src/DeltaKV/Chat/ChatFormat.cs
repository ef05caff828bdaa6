using System.Text.Json;
using System.Text.Json.Nodes;
using DeltaKV.Tokenization;
using DeltaKV.Weights;

namespace DeltaKV.Chat;

/// <summary>How a model wants a conversation written: its chat template with its special tokens, and what the template can express.</summary>
internal sealed class ChatFormat
{
    private static readonly string[] SpecialTokens = ["bos_token", "eos_token", "pad_token", "unk_token"];

    private readonly ChatTemplate template;

    private ChatFormat(string source, IReadOnlyDictionary<string, JsonNode?> variables)
    {
        template = ChatTemplate.Parse(source).With(variables);
        // The one convention for calls that the supported families share (Qwen's); others would be taken for plain text.
        SupportsTools = source.Contains("<tool_call>", StringComparison.Ordinal);
        SupportsThinking = source.Contains("</think>", StringComparison.Ordinal);
        ThinkingIsOptional = source.Contains("enable_thinking", StringComparison.Ordinal);
    }

    /// <summary>The template writes tools, and the model answers with <c>&lt;tool_call&gt;</c>.</summary>
    internal bool SupportsTools { get; }

    /// <summary>The model may think in <c>&lt;think&gt;</c> before it answers.</summary>
    internal bool SupportsThinking { get; }

    /// <summary>The template listens to <c>enable_thinking</c>.</summary>
    internal bool ThinkingIsOptional { get; }

    /// <summary>Reads <c>chat_template.jinja</c> or the template in <c>tokenizer_config.json</c>.</summary>
    /// <exception cref="NotSupportedException">The model has no chat template.</exception>
    internal static ChatFormat Load(string directory)
    {
        var configPath = Path.Combine(directory, "tokenizer_config.json");
        using var document = File.Exists(configPath) ? JsonFields.Load(configPath) : null;
        var config = document?.RootElement;
        var templatePath = Path.Combine(directory, "chat_template.jinja");
        var source = File.Exists(templatePath) ? File.ReadAllText(templatePath) : config is { } root ? FindTemplate(root) : null;
        if (source is null)
            throw new NotSupportedException($"The model in '{directory}' has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); use {nameof(Engine.LlmEngine)} with plain prompts.");
        return new ChatFormat(source, config is { } fields ? ReadSpecialTokens(fields) : new Dictionary<string, JsonNode?>());
    }

    /// <summary>Writes the conversation up to the beginning of the next answer.</summary>
    internal string Render(JsonArray messages, JsonArray? tools, IReadOnlyDictionary<string, JsonNode?> variables) =>
        template.Render(messages, tools, addGenerationPrompt: true, variables);

    private static string? FindTemplate(JsonElement config)
    {
        if (!config.TryGetProperty("chat_template", out var template))
            return null;
        if (template.ValueKind != JsonValueKind.Array)
            return JsonFields.Text(template);
        // Several named templates: the default one also writes tools where the model has one template for both.
        return template.EnumerateArray()
            .Where(item => item.ValueKind == JsonValueKind.Object && item.TryGetProperty("name", out var name) && JsonFields.Text(name) == "default")
            .Select(item => item.TryGetProperty("template", out var source) ? JsonFields.Text(source) : null)
            .FirstOrDefault();
    }

    private static Dictionary<string, JsonNode?> ReadSpecialTokens(JsonElement config)
    {
        var variables = new Dictionary<string, JsonNode?>();
        foreach (var name in SpecialTokens)
        {
            if (!config.TryGetProperty(name, out var value))
                continue;
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("content", out var content))
                value = content;
            if (JsonFields.Text(value) is { } text)
                variables[name] = text;
        }
        return variables;
    }
}
