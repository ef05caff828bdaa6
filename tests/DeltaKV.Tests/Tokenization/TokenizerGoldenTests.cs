using System.Text;
using System.Text.Json;

namespace DeltaKV.Tests.Tokenization;

/// <summary>The ids of tools/golden/make_tokenizer_golden.py, one for one.</summary>
public sealed class TokenizerGoldenTests
{
    public static TheoryData<string> Names => [.. TokenizerFixtures.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Encodes_the_texts_to_the_same_ids(string name)
    {
        var tokenizer = TokenizerFixtures.Tokenizer(name);
        var golden = TokenizerFixtures.Golden(name);
        AssertIds(golden.GetProperty("texts"), text => tokenizer.Encode(text));
        AssertIds(golden.GetProperty("plain"), text => tokenizer.Encode(text, parseSpecialTokens: false));
        AssertIds(golden.GetProperty("framed"), text => tokenizer.Encode(text, addSpecialTokens: true));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Encodes_ten_thousand_fuzzed_strings_to_the_same_ids(string name)
    {
        var tokenizer = TokenizerFixtures.Tokenizer(name);
        var golden = TokenizerFixtures.Golden(name);
        var seed = golden.GetProperty("seed").GetUInt64();
        var random = new SplitMix64(seed);
        var expected = Hashes(golden.GetProperty("fuzzed"));
        Assert.Equal(10_000, expected.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var text = FuzzedStrings.Next(random);
            var ids = tokenizer.Encode(text);
            Assert.True(expected[i] == FuzzedStrings.Hash(ids), $"Seed {seed}, string {i}, {JsonSerializer.Serialize(text)} gave {string.Join(' ', ids)}.");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Decodes_arbitrary_ids_to_the_same_text(string name)
    {
        var tokenizer = TokenizerFixtures.Tokenizer(name);
        var golden = TokenizerFixtures.Golden(name);
        var size = golden.GetProperty("size").GetInt32();
        Assert.Equal(size, tokenizer.VocabularySize);

        var random = new SplitMix64(golden.GetProperty("seed").GetUInt64());
        foreach (var _ in Hashes(golden.GetProperty("fuzzed")))
            FuzzedStrings.Next(random);
        foreach (var expected in Hashes(golden.GetProperty("decoded")))
        {
            var ids = new int[1 + random.Below(12)];
            for (var i = 0; i < ids.Length; i++)
                ids[i] = random.Below(size + 8);
            Assert.True(expected == FuzzedStrings.Hash(Encoding.UTF8.GetBytes(tokenizer.Decode(ids))), string.Join(' ', ids));
        }
    }

    private static void AssertIds(JsonElement expected, Func<string, int[]> encode)
    {
        var index = 0;
        foreach (var ids in expected.EnumerateArray())
        {
            var text = TokenizerFixtures.Texts[index++];
            var wanted = string.Join(' ', ids.EnumerateArray());
            var actual = string.Join(' ', encode(text));
            Assert.True(wanted == actual, $"{JsonSerializer.Serialize(text)}\nexpected {wanted}\nfound    {actual}");
        }
    }

    private static string[] Hashes(JsonElement lines) =>
        [.. lines.EnumerateArray().SelectMany(line => line.GetString()!.Chunk(8).Select(digits => new string(digits)))];
}
