using DeltaKV.Tokenization.Splitters;

namespace DeltaKV.Tests.Tokenization;

/// <summary>Words worked out by hand from the patterns; the golden tests cover the rest.</summary>
public sealed class WordSplitterTests
{
    [Theory]
    [InlineData("I'll don't 'tis", "I|'ll| don|'t| '|tis")]
    [InlineData("I'LL x'S", "I|'LL| x|'S")]
    [InlineData("12345 a1", "123|45| a|1")]
    [InlineData("a  b   c", "a| | b|  | c")]
    [InlineData("a\tb\t\tc", "a|\tb|\t|\tc")]
    [InlineData("x \n\n  y", "x| \n\n| | y")]
    [InlineData("end.\n\nNew", "end|.\n\n|New")]
    [InlineData("a \r\n", "a| \r\n")]
    [InlineData("trail   ", "trail|   ")]
    [InlineData(" ?! (x)", " ?!| (|x|)")]
    [InlineData("«quoted» — dash", "«quoted|»| —| dash")]
    [InlineData("𠀀𐐨 𝟘𝟙𝟚𝟛", "𠀀𐐨| |𝟘𝟙𝟚|𝟛")]
    [InlineData("नमस्ते", "नमस|्त|े")]
    public void Llama3(string text, string words) => AssertWords(KnownPatterns.Llama3, text, words);

    [Theory]
    [InlineData("12345 a1", "1|2|3|4|5| a|1")]
    [InlineData("in 2024", "in| |2|0|2|4")]
    public void Qwen2(string text, string words) => AssertWords(KnownPatterns.Qwen2, text, words);

    [Theory]
    [InlineData("I'll I'LL", "I|'ll| I|'|LL")]
    [InlineData("12345 67", "12345| 67")]
    [InlineData("a\n\nb", "a|\n|\n|b")]
    [InlineData("x  y ", "x| | y| ")]
    [InlineData("\tb", "\t|b")]
    public void Gpt2(string text, string words) => AssertWords(KnownPatterns.Gpt2, text, words);

    [Theory]
    [InlineData("camelCase HTTPServer", "camel|Case| HTTPServer")]
    [InlineData("XMLHttp ABC", "XMLHttp| ABC")]
    [InlineData("a/b//c/\n", "a|/b|//|c|/\n")]
    [InlineData("नमस्ते 12", "नमस्ते| |1|2")]
    [InlineData("ʰA", "ʰ|A")]
    public void Tekken(string text, string words) => AssertWords(KnownPatterns.Tekken, text, words);

    private static void AssertWords(string pattern, string text, string words)
    {
        var splitter = KnownPatterns.Find(pattern)!;
        var found = new List<string>();
        for (var start = 0; start < text.Length;)
        {
            var end = splitter.EndOfWord(text, start);
            found.Add(text[start..end]);
            start = end;
        }

        Assert.Equal(words, string.Join('|', found));
    }
}
