using System.Text.Json.Nodes;
using DeltaKV.Tests.Support;
using DeltaKV.Tokenization;
using DeltaKV.Tokenization.Normalization;

namespace DeltaKV.Tests.Tokenization;

public sealed class TokenizerTests
{
    public static TheoryData<string> Names => [.. TokenizerFixtures.Names];

    [Fact]
    public void Loads_from_a_directory_and_from_a_file_alike()
    {
        var fromFile = Tokenizer.Load(Path.Combine(TestModels.Needle, "tokenizer.json"));
        Assert.Equal(Tokenizer.Load(TestModels.Needle).Encode("The same."), fromFile.Encode("The same."));
    }

    [Fact]
    public void Says_where_it_looked_for_a_missing_file()
    {
        using var directory = new TemporaryDirectory();
        var exception = Assert.Throws<FileNotFoundException>(() => Tokenizer.Load(directory.Path));
        Assert.Contains(directory.File("tokenizer.json"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Knows_its_tokens_by_name_and_id()
    {
        var tokenizer = TokenizerFixtures.Tokenizer("needle-16m");
        Assert.Equal(4096, tokenizer.VocabularySize);
        Assert.Equal(5, tokenizer.TokenToId("<|end|>"));
        Assert.Equal("<|end|>", tokenizer.IdToToken(5));
        Assert.Equal("Ġt", tokenizer.IdToToken(tokenizer.TokenToId("Ġt")!.Value));
        Assert.Equal(" t"u8, tokenizer.TokenBytes(tokenizer.TokenToId("Ġt")!.Value));
        Assert.Null(tokenizer.TokenToId("no such token"));
        Assert.Null(tokenizer.IdToToken(4096));
        Assert.Null(tokenizer.IdToToken(-1));
        Assert.True(tokenizer.IsSpecialToken(5));
        Assert.False(tokenizer.IsSpecialToken(6));
        Assert.Equal([0, 1, 2, 3, 4, 5], tokenizer.SpecialTokenIds.Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Decoding_gives_the_text_back(string name)
    {
        const int Seed = 7;
        var tokenizer = TokenizerFixtures.Tokenizer(name);
        var random = new SplitMix64(Seed);
        for (var i = 0; i < 2000; i++)
        {
            // Without the beginnings and ends of added tokens, which may swallow spaces; composed, since two of the tokenizers compose.
            var text = Compose(name, FuzzedStrings.Next(random).Replace("<", "", StringComparison.Ordinal).Replace("!", "", StringComparison.Ordinal));
            Assert.True(text == tokenizer.Decode(tokenizer.Encode(text)), $"Seed {Seed}, string {i}: {text}");
        }
    }

    [Fact]
    public void A_lone_surrogate_is_encoded_as_the_replacement_character()
    {
        var tokenizer = TokenizerFixtures.Tokenizer("needle-16m");
        Assert.Equal(tokenizer.Encode("a\uFFFDb"), tokenizer.Encode("a\uD83Db"));
        Assert.Equal(tokenizer.Encode("\uFFFD"), tokenizer.Encode("\uDE00"));
    }

    [Fact]
    public void Special_tokens_can_be_dropped_when_decoding()
    {
        var tokenizer = TokenizerFixtures.Tokenizer("needle-16m");
        var ids = tokenizer.Encode("<|user|>Hi<|end|>");
        Assert.Equal("<|user|>Hi<|end|>", tokenizer.Decode(ids));
        Assert.Equal("Hi", tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    [Fact]
    public void Merges_are_applied_by_rank_and_then_from_the_left()
    {
        var tokenizer = new TokenizerFileBuilder("b c", "a b", "a a").Load();
        Assert.Equal(["a", "bc"], Tokens(tokenizer, "abc"));
        Assert.Equal(["aa", "a"], Tokens(tokenizer, "aaa"));
        Assert.Equal(["a", "a", "bc"], Tokens(new TokenizerFileBuilder("b c", "a b").Load(), "aabc"));
        Assert.Equal(["a", "ab"], Tokens(tokenizer, "aab"));
    }

    [Fact]
    public void Merges_may_be_written_as_pairs()
    {
        var builder = new TokenizerFileBuilder("a b", "ab c");
        builder.Model["merges"] = JsonNode.Parse("""[["a", "b"], ["ab", "c"]]""");
        Assert.Equal(["abc"], Tokens(builder.Load(), "abc"));
    }

    [Fact]
    public void A_word_of_the_vocabulary_is_taken_whole_only_with_ignore_merges()
    {
        var builder = new TokenizerFileBuilder();
        builder.Model["vocab"]!["Ġxyz"] = 256;
        Assert.Equal(["Ġ", "x", "y", "z"], Tokens(builder.Load(), " xyz"));
        builder.Model["ignore_merges"] = true;
        Assert.Equal(["Ġxyz"], Tokens(builder.Load(), " xyz"));
    }

    [Fact]
    public void Words_far_longer_than_any_cache_are_encoded()
    {
        var tokenizer = TokenizerFixtures.Tokenizer("needle-16m");
        foreach (var text in (string[])[new string('a', 200_000), string.Concat(Enumerable.Repeat("the", 70_000)), new string('\u0301', 50_000), new string(' ', 100_000)])
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Fact]
    public async Task Many_threads_may_encode_at_once()
    {
        var tokenizer = TokenizerFixtures.Tokenizer("qwen2-small");
        var expected = TokenizerFixtures.Texts.Select(text => tokenizer.Encode(text)).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], tokenizer.Encode(TokenizerFixtures.Texts[i]));
        })));
    }

    private static string Compose(string name, string text) =>
        name is "qwen2-small" or "gpt2-small" ? CanonicalComposer.Normalize(text).ToString() : text;

    private static string[] Tokens(Tokenizer tokenizer, string text) => [.. tokenizer.Encode(text).Select(id => tokenizer.IdToToken(id)!)];
}
