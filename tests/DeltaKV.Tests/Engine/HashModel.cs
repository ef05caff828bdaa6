using DeltaKV.Engine;

namespace DeltaKV.Tests.Engine;

/// <summary>A language model for tests: the next token is a hash of every token before it, so any mistake in what was visible shows.</summary>
internal static class HashModel
{
    internal const int Vocabulary = 4096;

    /// <param name="history">Token at a position; called for all positions in order.</param>
    /// <param name="length">Number of positions.</param>
    /// <param name="sampling">A temperature makes the seed count.</param>
    /// <param name="seed">Seed of the sequence.</param>
    internal static int Next(Func<int, int> history, int length, SamplingOptions sampling, long seed)
    {
        var hash = sampling.IsGreedy ? 0 : (ulong)seed;
        for (var position = 0; position < length; position++)
            hash = Mix(hash, history(position));
        return (int)(hash % Vocabulary);
    }

    /// <summary>What a sequence generates when it is alone.</summary>
    internal static List<int> Generate(IReadOnlyList<int> prompt, SamplingOptions sampling, int maxTokens, IReadOnlyCollection<int> eos)
    {
        var tokens = prompt.ToList();
        var output = new List<int>();
        while (output.Count < maxTokens)
        {
            var next = Next(position => tokens[position], tokens.Count, sampling, sampling.Seed ?? 0);
            tokens.Add(next);
            output.Add(next);
            if (!sampling.IgnoreEos && eos.Contains(next))
                break;
        }
        return output;
    }

    private static ulong Mix(ulong hash, int token)
    {
        hash = (hash ^ (uint)token) * 0x9E3779B97F4A7C15;
        return hash ^ (hash >> 29);
    }
}
