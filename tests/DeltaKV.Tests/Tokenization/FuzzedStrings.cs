using System.Runtime.InteropServices;
using System.Text;

namespace DeltaKV.Tests.Tokenization;

/// <summary>The fuzzed strings of tools/golden/portable.py; change both or neither.</summary>
internal static class FuzzedStrings
{
    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    private static readonly string[] LineBreaks = ["\n", "\r\n", "\n\n", " \n", "\n ", "\r"];
    private static readonly string[] Contractions = ["'s", "'T", "'re", "'VE", "'m", "'LL", "'d", "'\u017f", "'x", "\u2019s"];

    private static readonly string[] Emoji =
    [
        "\U0001F600", "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466", "\U0001F3F3\uFE0F\u200D\U0001F308",
        "\U0001F44D\U0001F3FD", "\u2764\uFE0F", "\U0001F1E9\U0001F1EA", "1\uFE0F\u20E3",
    ];

    private static readonly string[] Whitespace = ["\t", "\u00A0", "\u2003", "\u3000", "\u0085", "\u200B", "\uFEFF", "\u2028", "\u000B", "\u001C"];

    private static readonly string[] Specials =
    [
        "<|end|>", "<|user|>", "<|begin_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "<|", "|>", " <mask> ", "<|im_end|>>", "caf\u00E9!",
    ];

    private static readonly int[] Scripts = [0x0590, 0x0600, 0x0900, 0x0E00, 0x1780, 0x10400, 0x1D400, 0x1E900];

    internal static string Next(SplitMix64 random)
    {
        var text = new StringBuilder();
        for (var left = 1 + random.Below(12); left > 0; left--)
            text.Append(Fragment(random));
        return text.ToString();
    }

    /// <summary>FNV-1a of 32 bits, as eight hexadecimal digits.</summary>
    internal static string Hash(ReadOnlySpan<byte> data)
    {
        var value = 0x811C9DC5u;
        foreach (var part in data)
            value = (value ^ part) * 0x01000193;
        return value.ToString("x8");
    }

    internal static string Hash(ReadOnlySpan<int> ids) => Hash(MemoryMarshal.AsBytes(ids));

    private static string Fragment(SplitMix64 random)
    {
        switch (random.Below(17))
        {
            case 0:
                var word = Many(random, 10, 'a', 26);
                return random.Below(4) == 0 ? char.ToUpperInvariant(word[0]) + word[1..] : word;
            case 1: return new string(' ', 1 + random.Below(4));
            case 2: return Many(random, 6, '0', 10);
            case 3:
                var symbols = new StringBuilder();
                for (var left = 1 + random.Below(3); left > 0; left--)
                    symbols.Append(Punctuation[random.Below(Punctuation.Length)]);
                return symbols.ToString();
            case 4: return LineBreaks[random.Below(LineBreaks.Length)];
            case 5: return Contractions[random.Below(Contractions.Length)];
            case 6: return Many(random, 6, 0xC0, 0x440);
            case 7: return (char)('a' + random.Below(26)) + Many(random, 3, 0x300, 0x70);
            case 8: return Many(random, 4, 0x4E00, 0x51A0);
            case 9: return Many(random, 3, 0x20000, 0xA6D0);
            case 10: return Emoji[random.Below(Emoji.Length)];
            case 11: return $"{(char)(0x1100 + random.Below(19))}{(char)(0x1161 + random.Below(21))}{Many(random, 2, 0x11A8, 27)}";
            case 12: return Whitespace[random.Below(Whitespace.Length)];
            case 13:
                var scalar = random.Below(0xF800);
                return ((char)(scalar < 0xD800 ? scalar : scalar + 0x800)).ToString();
            case 14: return char.ConvertFromUtf32(0x10000 + random.Below(0x100000));
            case 15: return Specials[random.Below(Specials.Length)];
            default: return Many(random, 5, Scripts[random.Below(Scripts.Length)], 0x80);
        }
    }

    private static string Many(SplitMix64 random, int most, int first, int count)
    {
        var text = new StringBuilder();
        for (var left = 1 + random.Below(most); left > 0; left--)
            text.Append(char.ConvertFromUtf32(first + random.Below(count)));
        return text.ToString();
    }
}
