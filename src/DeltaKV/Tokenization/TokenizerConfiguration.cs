using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeltaKV.Tokenization;

/// <summary>
/// What a model directory says about its tokenizer beside <c>tokenizer.json</c>: special tokens by role and the chat template.
/// </summary>
public sealed class TokenizerConfiguration
{
    private const string ConfigurationFile = "tokenizer_config.json";
    private const string SpecialTokensFile = "special_tokens_map.json";
    private const string TemplateFile = "chat_template.jinja";

    private TokenizerConfiguration(Dictionary<string, string> specialTokens, ChatTemplate? chatTemplate)
    {
        SpecialTokens = specialTokens;
        ChatTemplate = chatTemplate;
    }

    /// <summary>Special tokens by role, such as <c>bos_token</c> and <c>eos_token</c>, as the vocabulary spells them.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; }

    /// <summary>The token a text begins with; null when the model names none.</summary>
    public string? BeginningToken => SpecialTokens.GetValueOrDefault("bos_token");

    /// <summary>The token a text or answer ends with; null when the model names none.</summary>
    public string? EndToken => SpecialTokens.GetValueOrDefault("eos_token");

    /// <summary>
    /// The model's chat template, which finds its special tokens by role; null for a model that has none (a base model, as a rule).
    /// </summary>
    public ChatTemplate? ChatTemplate { get; }

    /// <summary>
    /// Reads <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>chat_template.jinja</c>, as far as they are there.
    /// </summary>
    /// <exception cref="TokenizerFormatException">One of the files is damaged.</exception>
    /// <exception cref="ChatTemplateException">The chat template uses something unsupported.</exception>
    public static TokenizerConfiguration Load(string modelDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelDirectory);
        var configuration = Read(Path.Combine(modelDirectory, ConfigurationFile));
        var tokens = new Dictionary<string, string>();
        CollectSpecialTokens(Read(Path.Combine(modelDirectory, SpecialTokensFile)), tokens);
        CollectSpecialTokens(configuration, tokens);

        var variables = tokens.ToDictionary(token => token.Key, token => (JsonNode?)JsonValue.Create(token.Value));
        return new TokenizerConfiguration(tokens, ReadTemplate(modelDirectory, configuration)?.With(variables));
    }

    private static JsonObject Read(string path)
    {
        if (!File.Exists(path))
            return [];
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new TokenizerFormatException($"{path} does not hold a JSON object.");
        }
        catch (JsonException exception)
        {
            throw new TokenizerFormatException($"{path} is not valid JSON: {exception.Message}", exception);
        }
    }

    /// <summary>A token is a string, or an object with its <c>content</c>.</summary>
    private static void CollectSpecialTokens(JsonObject source, Dictionary<string, string> tokens)
    {
        foreach (var (name, value) in source)
        {
            var content = value is JsonObject token ? token["content"] : value;
            if (name.EndsWith("_token", StringComparison.Ordinal) && content?.GetValueKind() == JsonValueKind.String)
                tokens[name] = content.GetValue<string>();
        }
    }

    /// <summary>A file of its own goes before the field; the field is one template or a list of named ones.</summary>
    private static ChatTemplate? ReadTemplate(string modelDirectory, JsonObject configuration)
    {
        var path = Path.Combine(modelDirectory, TemplateFile);
        if (File.Exists(path))
            return ChatTemplate.Parse(File.ReadAllText(path));
        switch (configuration["chat_template"])
        {
            case null:
                return null;
            case JsonValue value when value.TryGetValue<string>(out var source):
                return ChatTemplate.Parse(source);
            case JsonArray named when Named(named, "default") is { } source:
                return Named(named, "tool_use") is { } withTools ? ChatTemplate.Parse(source, withTools) : ChatTemplate.Parse(source);
            default:
                throw new TokenizerFormatException(
                    $"{Path.Combine(modelDirectory, ConfigurationFile)}: 'chat_template' must be a string or a list of named templates with one named 'default'.");
        }
    }

    private static string? Named(JsonArray templates, string name) =>
        templates.OfType<JsonObject>().FirstOrDefault(template => template["name"]?.ToString() == name)?["template"]?.ToString();
}
