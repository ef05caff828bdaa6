using System.Text.Json.Nodes;
using DeltaKV.Tests.Support;
using DeltaKV.Tokenization;

namespace DeltaKV.Tests.Tokenization;

public sealed class TokenizerConfigurationTests
{
    private static readonly ChatTemplateMessage[] Hello = [new("user", "Hello")];

    [Fact]
    public void Reads_the_embedded_model()
    {
        var configuration = TokenizerConfiguration.Load(TestModels.Needle);
        Assert.Equal("<|bos|>", configuration.BeginningToken);
        Assert.Equal("<|end|>", configuration.EndToken);
        Assert.Equal("<|bos|><|user|>Hello<|end|><|assistant|>", configuration.ChatTemplate!.Render(Hello));
    }

    [Fact]
    public void A_directory_without_files_has_no_template()
    {
        using var directory = new TemporaryDirectory();
        var configuration = TokenizerConfiguration.Load(directory.Path);
        Assert.Null(configuration.ChatTemplate);
        Assert.Null(configuration.BeginningToken);
    }

    [Fact]
    public void Tokens_may_be_strings_or_objects_and_the_configuration_goes_first()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("special_tokens_map.json", """{"bos_token": "<old>", "unk_token": {"content": "<unk>"}}""");
        directory.Write("tokenizer_config.json", """{"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "pad_token": null, "add_bos_token": true}""");
        var tokens = TokenizerConfiguration.Load(directory.Path).SpecialTokens;
        Assert.Equal(["bos_token=<s>", "eos_token=</s>", "unk_token=<unk>"], tokens.Select(token => $"{token.Key}={token.Value}").Order());
    }

    [Fact]
    public void A_template_file_goes_before_the_field()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer_config.json", """{"bos_token": "<s>", "chat_template": "field"}""");
        Assert.Equal("field", TokenizerConfiguration.Load(directory.Path).ChatTemplate!.Render(Hello));
        directory.Write("chat_template.jinja", "{{ bos_token }}file\n");
        Assert.Equal("<s>file", TokenizerConfiguration.Load(directory.Path).ChatTemplate!.Render(Hello));
    }

    [Fact]
    public void A_template_named_for_tools_is_used_with_tools()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("tokenizer_config.json", """{"chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]}""");
        var template = TokenizerConfiguration.Load(directory.Path).ChatTemplate!;
        Assert.Equal("plain", template.Render(Hello));
        Assert.Equal("tools", template.Render(Hello, new JsonArray(new JsonObject())));
    }

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "JSON object")]
    [InlineData("""{"chat_template": 3}""", "'chat_template'")]
    [InlineData("""{"chat_template": [{"name": "other", "template": "x"}]}""", "'default'")]
    public void A_damaged_file_is_named(string json, string named)
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("tokenizer_config.json", json);
        var exception = Assert.Throws<TokenizerFormatException>(() => TokenizerConfiguration.Load(directory.Path));
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
    }
}
