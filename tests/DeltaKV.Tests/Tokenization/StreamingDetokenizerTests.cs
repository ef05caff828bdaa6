using System.Text;

namespace DeltaKV.Tests.Tokenization;

public sealed class StreamingDetokenizerTests
{
    public static TheoryData<string> Names => [.. TokenizerFixtures.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_pieces_join_to_the_whole(string name)
    {
        const int Seed = 11;
        var tokenizer = TokenizerFixtures.Tokenizer(name);
        var random = new SplitMix64(Seed);
        for (var i = 0; i < 2000; i++)
        {
            // Arbitrary ids, so that bytes break off, collide and never become characters.
            var ids = new int[1 + random.Below(20)];
            for (var k = 0; k < ids.Length; k++)
                ids[k] = random.Below(random.Below(2) == 0 ? 300 : tokenizer.VocabularySize);
            var skip = random.Below(2) == 0;
            var stream = tokenizer.CreateDetokenizer(skip);
            var text = new StringBuilder();
            foreach (var id in ids)
                text.Append(stream.Append(id));
            text.Append(stream.Flush());
            Assert.True(tokenizer.Decode(ids, skip) == text.ToString(), $"Seed {Seed}, sequence {i}: {string.Join(' ', ids)}");
        }
    }

    [Fact]
    public void An_incomplete_character_is_held_back()
    {
        var tokenizer = new TokenizerFileBuilder().Load();
        var stream = tokenizer.CreateDetokenizer();
        var pieces = tokenizer.Encode("a😀é").Select(stream.Append).ToArray();
        Assert.Equal(["a", "", "", "", "😀", "", "é"], pieces);
        Assert.Equal("", stream.Flush());
    }

    [Fact]
    public void Text_of_whole_characters_never_shows_a_replacement()
    {
        foreach (var text in TokenizerFixtures.Texts.Where(text => !text.Contains('\uFFFD', StringComparison.Ordinal)))
        {
            var tokenizer = TokenizerFixtures.Tokenizer("needle-16m");
            var stream = tokenizer.CreateDetokenizer();
            Assert.All(tokenizer.Encode(text), id => Assert.DoesNotContain("\uFFFD", stream.Append(id), StringComparison.Ordinal));
        }
    }

    [Fact]
    public void What_never_completes_becomes_a_replacement_at_the_end()
    {
        var tokenizer = new TokenizerFileBuilder().Load();
        var stream = tokenizer.CreateDetokenizer();
        Assert.Equal("", stream.Append(0xE2));
        Assert.Equal("\uFFFD", stream.Flush());
        Assert.Equal("a", stream.Append('a'));
        Assert.Equal("", stream.Append(0xE2));
        Assert.Equal("\uFFFDa", stream.Append('a'));
    }
}
