using System.Text.Json.Nodes;
using DeltaKV.Tokenization.Templates;
using DeltaKV.Tokenization.Templates.Python;
using DeltaKV.Tokenization.Templates.Statements;

namespace DeltaKV.Tokenization;

/// <summary>
/// A model's own chat template, run as Hugging Face's <c>apply_chat_template</c> runs it: a Jinja subset with <c>trim_blocks</c> and
/// <c>lstrip_blocks</c> on. What the subset lacks is refused by name and line, never rendered differently. Thread-safe.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Block body;
    private readonly Block bodyWithTools;
    private readonly IReadOnlyDictionary<string, JsonNode?> defaults;
    private readonly TimeProvider clock;

    private ChatTemplate(Block body, Block bodyWithTools, IReadOnlyDictionary<string, JsonNode?> defaults, TimeProvider clock) =>
        (this.body, this.bodyWithTools, this.defaults, this.clock) = (body, bodyWithTools, defaults, clock);

    /// <summary>Reads a template from its source.</summary>
    /// <exception cref="ChatTemplateException">The template is malformed or uses a construct this library does not support.</exception>
    public static ChatTemplate Parse(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var body = TemplateParser.Parse(source);
        return new ChatTemplate(body, body, new Dictionary<string, JsonNode?>(), TimeProvider.System);
    }

    /// <summary>Reads two templates, the second for renderings with tools.</summary>
    /// <exception cref="ChatTemplateException">A template is malformed or uses a construct this library does not support.</exception>
    public static ChatTemplate Parse(string source, string sourceWithTools)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(sourceWithTools);
        return new ChatTemplate(
            TemplateParser.Parse(source), TemplateParser.Parse(sourceWithTools), new Dictionary<string, JsonNode?>(), TimeProvider.System);
    }

    /// <summary>
    /// The same template with what it finds in every rendering, such as <c>bos_token</c>, and the clock behind <c>strftime_now</c>.
    /// </summary>
    public ChatTemplate With(IReadOnlyDictionary<string, JsonNode?> variables, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(variables);
        return new ChatTemplate(body, bodyWithTools, variables, clock ?? this.clock);
    }

    /// <summary>Renders messages given as role and content.</summary>
    public string Render(
        IEnumerable<ChatTemplateMessage> messages,
        JsonArray? tools = null,
        bool addGenerationPrompt = true,
        IReadOnlyDictionary<string, JsonNode?>? variables = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return Render(new JsonArray([.. messages.Select(message => message.ToJson())]), tools, addGenerationPrompt, variables);
    }

    /// <summary>Renders messages given as JSON objects, as <c>apply_chat_template</c> takes them.</summary>
    /// <param name="messages">Objects with <c>role</c>, <c>content</c> and whatever else the template reads.</param>
    /// <param name="tools">Tools as JSON schemas, or null for none.</param>
    /// <param name="addGenerationPrompt">Whether to end with the beginning of an answer.</param>
    /// <param name="variables">More variables for this rendering, such as <c>enable_thinking</c> or <c>date_string</c>.</param>
    /// <exception cref="ChatTemplateException">The template fails on these messages or refuses them.</exception>
    public string Render(
        JsonArray messages,
        JsonArray? tools = null,
        bool addGenerationPrompt = true,
        IReadOnlyDictionary<string, JsonNode?>? variables = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var scope = TemplateGlobals.Create(clock);
        foreach (var (name, value) in defaults)
            scope.Set(name, JsonConversion.FromJson(value));
        scope.Set("messages", JsonConversion.FromJson(messages));
        scope.Set("tools", JsonConversion.FromJson(tools));
        scope.Set("documents", null);
        scope.Set("add_generation_prompt", addGenerationPrompt);
        foreach (var (name, value) in variables ?? new Dictionary<string, JsonNode?>())
            scope.Set(name, JsonConversion.FromJson(value));
        return (tools is null ? body : bodyWithTools).Capture(new TemplateScope(scope));
    }
}
