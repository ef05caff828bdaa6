using DeltaKV.Tokenization;

namespace DeltaKV.Tests.Tokenization;

/// <summary>Both ways of merging, against merging by the definition.</summary>
public sealed class BytePairMergerTests
{
    [Theory]
    [InlineData(2, 40)]
    [InlineData(40, 400)]
    public void Merges_as_the_definition_says(int shortest, int longest)
    {
        const int Seed = 3;
        var random = new SplitMix64(Seed);
        for (var round = 0; round < 100; round++)
        {
            var merges = RandomMerges(random);
            var word = new int[shortest + random.Below(longest - shortest)];
            for (var i = 0; i < word.Length; i++)
                word[i] = random.Below(3);

            var expected = MergeByDefinition(word, merges);
            var symbols = word.ToArray();
            var count = new BytePairMerger(new MergeTable(merges)).Merge(symbols);
            Assert.True(expected.SequenceEqual(symbols[..count]), $"Seed {Seed}, round {round}: {string.Join(' ', word)}");
        }
    }

    /// <summary>Over three letters, with every merge's result free to take part in later ones.</summary>
    private static List<(int Left, int Right, int Merged)> RandomMerges(SplitMix64 random)
    {
        var merges = new Dictionary<(int, int), int>();
        for (var merged = 3; merged < 40; merged++)
            merges.TryAdd((random.Below(merged), random.Below(merged)), merged);
        var shuffled = merges.Select(pair => (pair.Key.Item1, pair.Key.Item2, pair.Value)).ToList();
        for (var i = shuffled.Count - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
        }

        return shuffled;
    }

    private static List<int> MergeByDefinition(int[] word, List<(int Left, int Right, int Merged)> merges)
    {
        var symbols = word.ToList();
        while (true)
        {
            var best = (Rank: int.MaxValue, Position: 0);
            for (var i = 0; i + 1 < symbols.Count; i++)
            {
                var rank = merges.FindIndex(merge => merge.Left == symbols[i] && merge.Right == symbols[i + 1]);
                if (rank >= 0 && rank < best.Rank)
                    best = (rank, i);
            }

            if (best.Rank == int.MaxValue)
                return symbols;
            symbols[best.Position] = merges[best.Rank].Merged;
            symbols.RemoveAt(best.Position + 1);
        }
    }
}
