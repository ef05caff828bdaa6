using System.Text.Json.Nodes;
using DeltaKV.Tokenization;

namespace DeltaKV.Tests.Tokenization;

public sealed class ChatTemplateTests
{
    private static readonly ChatTemplateMessage[] Hello = [new("user", "Hello")];

    [Theory]
    [InlineData("a\n{% include 'x' %}", 2, "'include'")]
    [InlineData("{% if a %}\n\n{{ a | wordwrap }}{% endif %}", 3, "'wordwrap'")]
    [InlineData("\n{{ a is escaped }}", 2, "'escaped'")]
    [InlineData("{% for a in b recursive %}{% endfor %}", 1, "recursive")]
    [InlineData("{% call f() %}{% endcall %}", 1, "'call'")]
    [InlineData("{{ f(*a) }}", 1, "'*'")]
    [InlineData("{{ 0x10 }}", 1, "'0x'")]
    [InlineData("{{ a ? b }}", 1, "'?'")]
    [InlineData("{% if a %}\n{% for x in y %}", 2, "'endfor'")]
    public void An_unsupported_construct_is_named_with_its_line(string source, int line, string named)
    {
        var exception = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source));
        Assert.Equal(line, exception.Line);
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
        Assert.False(exception.IsRaisedByTemplate);
    }

    [Theory]
    [InlineData("\n\n{{ messages[0].content.encode() }}", 3, "'encode'")]
    [InlineData("{{ nothing.more }}", 1, "'nothing' is undefined")]
    [InlineData("{% for m in messages %}\n{{ m.role }}\n{{ m.content + 1 }}{% endfor %}", 3, "'+'")]
    [InlineData("{{ strftime_now('%Q') }}", 1, "'%Q'")]
    [InlineData("{{ messages | tojson(cls='x') }}", 1, "'cls'")]
    [InlineData("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", 1, "deep, last")]
    public void A_failure_while_rendering_is_named_with_its_line(string source, int line, string named)
    {
        var exception = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source).Render(Hello));
        Assert.Equal(line, exception.Line);
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Depth_without_end_is_an_error_rather_than_a_crash()
    {
        string[] sources =
        [
            "{{ " + new string('(', 200_000) + " }}",
            "{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 200_000)) + " }}",
            string.Concat(Enumerable.Repeat("{% if 1 %}", 100_000)),
            "{% set ns = namespace(v=1) %}{% for i in range(100000) %}{% set ns.v = [ns.v] %}{% endfor %}{{ ns.v }}",
            "{% set ns = namespace(v=1) %}{% for i in range(100000) %}{% set ns.v = {'a': ns.v} %}{% endfor %}{{ ns.v | tojson }}",
        ];
        Assert.All(sources, source => Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source).Render(Hello)));
    }

    [Fact]
    public void What_the_template_raises_is_told_apart()
    {
        var template = ChatTemplate.Parse("{% if messages[0].role != 'system' %}\n{{ raise_exception('System first!') }}{% endif %}");
        var exception = Assert.Throws<ChatTemplateException>(() => template.Render(Hello));
        Assert.True(exception.IsRaisedByTemplate);
        Assert.Contains("System first!", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_carry_further_fields()
    {
        var template = ChatTemplate.Parse("{% for m in messages %}{{ m | tojson }};{% endfor %}");
        var message = new ChatTemplateMessage("tool", "1") { Fields = new JsonObject { ["tool_call_id"] = "a", ["n"] = 1.5 } };
        Assert.Equal("""{"role": "tool", "content": "1", "tool_call_id": "a", "n": 1.5};""", template.Render([message]));
        Assert.Equal("""{"role": "assistant", "content": null};""", template.Render([new ChatTemplateMessage("assistant", null)]));
    }

    [Fact]
    public void A_rendering_may_override_the_standing_variables()
    {
        var template = ChatTemplate.Parse("{{ bos_token }}{{ name }}").With(new Dictionary<string, JsonNode?> { ["bos_token"] = "<s>", ["name"] = "a" });
        Assert.Equal("<s>a", template.Render(Hello));
        Assert.Equal("<s>b", template.Render(Hello, variables: new Dictionary<string, JsonNode?> { ["name"] = "b" }));
        Assert.Equal("<s>a", template.Render(Hello));
    }

    [Fact]
    public void Json_numbers_keep_their_kind_and_size()
    {
        var template = ChatTemplate.Parse("{{ v | tojson }}");
        var variables = new Dictionary<string, JsonNode?> { ["v"] = JsonNode.Parse("[1, 1.0, -0.0, 1e3, 123456789012345678901234567890, 9007199254740993]") };
        Assert.Equal("[1, 1.0, -0.0, 1000.0, 123456789012345678901234567890, 9007199254740993]", template.Render(Hello, variables: variables));
    }

    [Fact]
    public async Task Many_threads_may_render_at_once()
    {
        var template = ChatTemplate.Parse("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}");
        var texts = await Task.WhenAll(Enumerable.Range(0, 32).Select(count => Task.Run(() => template.Render(Enumerable.Repeat(Hello[0], count)))));
        Assert.Equal(Enumerable.Range(0, 32).Select(count => count.ToString()), texts);
    }
}
