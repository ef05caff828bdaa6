using System.Globalization;
using System.Text;
using DeltaKV.Tests.Support;
using DeltaKV.Tokenization.Normalization;
using DeltaKV.Tokenization.Splitters;

namespace DeltaKV.Tests.Tokenization;

/// <summary>
/// Character classes and form C over all of Unicode, against what the reference engine's regex and normaliser say (kinds.txt); scalars it
/// calls unassigned are not compared.
/// </summary>
public sealed class UnicodeGoldenTests
{
    private static readonly string[][] Lines =
        [.. File.ReadLines(RepositoryRoot.Fixture("tokenizers", "kinds.txt")).Where(line => line[0] != '#').Select(line => line.Split(' '))];

    [Fact]
    public void Every_scalar_has_the_same_kinds()
    {
        var expected = new CharacterKinds?[0x110000];
        Array.Fill(expected, CharacterKinds.None);
        foreach (var line in Lines.Where(line => line[0] != "FormC"))
        {
            for (var scalar = Hex(line[1]); scalar <= Hex(line[2]); scalar++)
                expected[scalar] = line[0] == "Unassigned" ? null : expected[scalar] | Enum.Parse<CharacterKinds>(line[0]);
        }

        var differences = new List<string>();
        for (var scalar = 0; scalar < expected.Length; scalar++)
        {
            var actual = CharacterTable.Classify(scalar) & ~CharacterKinds.LineBreak;
            if (Rune.IsValid(scalar) && expected[scalar] is { } wanted && actual != wanted)
                differences.Add($"{scalar:X4}: expected {wanted}, found {actual}");
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differences\n{string.Join('\n', differences.Take(60))}");
    }

    [Fact]
    public void Form_c_is_the_same()
    {
        foreach (var line in Lines.Where(line => line[0] == "FormC"))
        {
            var sample = new StringBuilder();
            var block = Hex(line[1]);
            for (var scalar = block; scalar < block + 0x1000; scalar++)
            {
                if (Rune.IsValid(scalar))
                    sample.Append(CultureInfo.InvariantCulture, $"{new Rune(scalar)}\na{new Rune(scalar)}\u0301\n");
            }

            var normalized = CanonicalComposer.Normalize(sample.ToString()).ToString();
            Assert.True(line[2] == FuzzedStrings.Hash(Encoding.UTF8.GetBytes(normalized)), $"Form C differs in the block from U+{block:X4}.");
        }
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
