using System.Text.Json.Nodes;

namespace DeltaKV.Tests.Tokenization;

public sealed class AddedTokenTests
{
    [Fact]
    public void The_longest_token_at_the_leftmost_place_wins()
    {
        var tokenizer = new TokenizerFileBuilder().Add(300, "<|a").Add(301, "<|a|>").Add(302, "a|>b").Load();
        Assert.Equal([301, 'b'], tokenizer.Encode("<|a|>b"));
        Assert.Equal([300, 301], tokenizer.Encode("<|a<|a|>"));
        Assert.Equal([302], tokenizer.Encode("a|>b"));
    }

    [Fact]
    public void A_token_may_take_the_whitespace_beside_it()
    {
        var tokenizer = new TokenizerFileBuilder().Add(300, "<l>", lstrip: true).Add(301, "<r>", rstrip: true).Load();
        Assert.Equal([.. tokenizer.Encode("a"), 300, .. tokenizer.Encode(" b")], tokenizer.Encode("a \t\n<l> b"));
        Assert.Equal([.. tokenizer.Encode("a "), 301, .. tokenizer.Encode("b")], tokenizer.Encode("a <r>\u3000 b"));
        Assert.Equal([301, 300], tokenizer.Encode("<r>  <l>"));
    }

    [Fact]
    public void Special_tokens_in_the_text_can_be_left_as_text()
    {
        var tokenizer = new TokenizerFileBuilder().Add(300, "<|s|>").Add(301, "<tool>", special: false).Load();
        var ids = tokenizer.Encode("<|s|><tool>", parseSpecialTokens: false);
        Assert.Equal(301, ids[^1]);
        Assert.DoesNotContain(300, ids);
        Assert.Equal("<|s|><tool>", tokenizer.Decode(ids));
    }

    [Fact]
    public void A_normalized_token_is_found_however_the_text_spells_it()
    {
        var builder = new TokenizerFileBuilder().Add(300, "caf\u00E9", normalized: true).Add(301, "th\u00E9");
        builder.Root["normalizer"] = JsonNode.Parse("""{"type": "NFC"}""");
        var tokenizer = builder.Load();
        Assert.Equal([300], tokenizer.Encode("cafe\u0301"));
        Assert.Equal([301], tokenizer.Encode("th\u00E9"));
        Assert.NotEqual([301], tokenizer.Encode("the\u0301"));
    }

    [Fact]
    public void Prefixes_of_a_token_stay_text()
    {
        var tokenizer = new TokenizerFileBuilder().Add(300, "<|long|>").Load();
        foreach (var text in (string[])["<", "<|", "<|lon", "<|long|", "<<||long|>"])
        {
            Assert.DoesNotContain(300, tokenizer.Encode(text));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

}
