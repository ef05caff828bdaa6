using System.Text.Json.Nodes;
using DeltaKV.Tests.Support;
using DeltaKV.Tokenization;

namespace DeltaKV.Tests.Tokenization;

/// <summary>What is not understood exactly is refused, by the name it has in the file.</summary>
public sealed class TokenizerRefusalTests
{
    [Theory]
    [InlineData("pre_tokenizer", """{"type": "Metaspace", "replacement": "_"}""", "Metaspace")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "ByteLevel"}]}""", "Digits, ByteLevel")]
    [InlineData("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": true, "use_regex": true}""", "add_prefix_space")]
    [InlineData("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}""", "use_regex")]
    [InlineData("pre_tokenizer", "null", "no pre_tokenizer")]
    [InlineData("normalizer", """{"type": "NFKC"}""", "NFKC")]
    [InlineData("normalizer", """{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]}""", "Lowercase")]
    [InlineData("post_processor", """{"type": "BertProcessing"}""", "BertProcessing")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [], "special_tokens": {}}""", "no Sequence")]
    [InlineData("added_tokens", """[{"id": 300, "content": "x", "single_word": true}]""", "single_word")]
    [InlineData("added_tokens", """[{"id": 3, "content": "x"}]""", "'x'")]
    [InlineData("added_tokens", """[{"id": 2000000000, "content": "x"}]""", "damaged")]
    [InlineData("added_tokens", """[{"id": -1, "content": "new"}]""", "negative")]
    [InlineData("added_tokens", """{"id": 1}""", "added_tokens")]
    [InlineData("model", """{"type": "Unigram", "vocab": []}""", "Unigram")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0}, "merges": []}""", "all 256")]
    public void A_part_is_refused_by_name(string part, string json, string named)
    {
        var builder = new TokenizerFileBuilder();
        builder.Root[part] = JsonNode.Parse(json);
        AssertRefused(builder, named);
    }

    [Theory]
    [InlineData("dropout", "0.1", "dropout")]
    [InlineData("byte_fallback", "true", "byte_fallback")]
    [InlineData("end_of_word_suffix", "\"</w>\"", "end_of_word_suffix")]
    [InlineData("continuing_subword_prefix", "\"##\"", "continuing_subword_prefix")]
    [InlineData("merges", "[\"a b\"]", "'ab'")]
    [InlineData("merges", "[\"a\"]", "two tokens")]
    [InlineData("merges", "[[\"a\", \"b\", \"c\"]]", "two tokens")]
    [InlineData("merges", "null", "merges")]
    [InlineData("ignore_merges", "1", "ignore_merges")]
    public void A_model_option_is_refused_by_name(string option, string json, string named)
    {
        var builder = new TokenizerFileBuilder();
        builder.Model[option] = JsonNode.Parse(json);
        AssertRefused(builder, named);
    }

    [Fact]
    public void An_unknown_split_pattern_is_quoted()
    {
        var builder = new TokenizerFileBuilder();
        builder.Root["pre_tokenizer"] = TokenizerFileBuilder.SplitOn("[a-z]+|.");
        AssertRefused(builder, "[a-z]+|.");
    }

    [Fact]
    public void Two_tokens_with_one_id_are_refused()
    {
        var builder = new TokenizerFileBuilder();
        builder.Model["vocab"]!["twice"] = 65;
        AssertRefused(builder, "both have the id 65");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"model\": 1}")]
    [InlineData("{\"model\": {}, \"added_tokens\": []")]
    public void A_damaged_file_is_named(string json)
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("tokenizer.json", json);
        var exception = Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(path));
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
    }

    private static void AssertRefused(TokenizerFileBuilder builder, string named)
    {
        var exception = Assert.Throws<TokenizerFormatException>(builder.Load);
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
    }
}
