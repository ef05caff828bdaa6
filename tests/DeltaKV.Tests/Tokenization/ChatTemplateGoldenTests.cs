using System.Globalization;
using System.Text.Json.Nodes;
using DeltaKV.Tests.Support;
using DeltaKV.Tokenization;

namespace DeltaKV.Tests.Tokenization;

/// <summary>What Jinja renders (tools/golden/make_template_golden.py), character for character; where it fails, so do we.</summary>
public sealed class ChatTemplateGoldenTests
{
    private static readonly JsonObject Conversations = Read("conversations.json");
    private static readonly JsonObject Constructs = Read("constructs.json");

    public static TheoryData<string> ConversationNames => Names(Conversations);

    public static TheoryData<string> ConstructNames => Names(Constructs);

    [Theory]
    [MemberData(nameof(ConversationNames))]
    public void Renders_conversations_as_jinja_does(string name)
    {
        var golden = Case(Conversations, name);
        AssertSame(Conversations, golden, Source(golden["template"]!.GetValue<string>()));
    }

    [Theory]
    [MemberData(nameof(ConstructNames))]
    public void Renders_each_construct_as_jinja_does(string name)
    {
        var golden = Case(Constructs, name);
        AssertSame(Constructs, golden, golden["source"]!.GetValue<string>());
    }

    private static void AssertSame(JsonObject file, JsonNode golden, string source)
    {
        if (golden["expected"] is { } expected)
            Assert.Equal(expected.GetValue<string>(), Render(file, golden, source));
        else
            Assert.Throws<ChatTemplateException>(() => Render(file, golden, source));
    }

    private static string Render(JsonObject file, JsonNode golden, string source)
    {
        var now = DateTimeOffset.Parse(file["now"]!.GetValue<string>(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        var parsed = ChatTemplate.Parse(source);
        var template = parsed.With(file["tokens"]!.AsObject().ToDictionary(), new FixedClock(now));
        return template.Render(
            golden["messages"]!.AsArray(),
            golden["tools"] as JsonArray,
            golden["add_generation_prompt"]?.GetValue<bool>() ?? false,
            golden["variables"]?.AsObject().ToDictionary());
    }

    private static string Source(string template) => template == "needle-16m"
        ? JsonNode.Parse(File.ReadAllText(Path.Combine(TestModels.Needle, "tokenizer_config.json")))!["chat_template"]!.GetValue<string>()
        : File.ReadAllText(RepositoryRoot.Fixture("templates", template));

    private static JsonObject Read(string name) => JsonNode.Parse(File.ReadAllText(RepositoryRoot.Fixture("templates", name)))!.AsObject();

    private static TheoryData<string> Names(JsonObject file) => [.. Cases(file).Select(golden => golden["name"]!.GetValue<string>())];

    private static JsonNode Case(JsonObject file, string name) => Cases(file).Single(golden => golden["name"]!.GetValue<string>() == name);

    private static IEnumerable<JsonNode> Cases(JsonObject file) => file["cases"]!.AsArray().Select(golden => golden!);

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
