using DeltaKV.Engine;
using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Tests.Kernels.Sampling;

/// <summary>Sampling in plain C# and double: sort, cut, let the kept tokens race.</summary>
internal static class SamplingReference
{
    /// <summary>The token after <paramref name="prompt"/> and <paramref name="answer"/>.</summary>
    internal static int Sample(float[] logits, SamplingOptions options, long seed, int[] prompt, int[] answer)
    {
        var adjusted = Adjust(logits, options, prompt, answer);
        if (options.IsGreedy)
            return Array.IndexOf(adjusted, adjusted.Max());
        var position = (uint)(prompt.Length + answer.Length);
        return Candidates(adjusted, options).MinBy(candidate => Arrival(candidate.Probability, Philox.Bits((ulong)seed, position, (uint)candidate.Token))).Token;
    }

    /// <summary>The tokens that may be drawn, the most likely first, with probabilities that sum to one.</summary>
    internal static (int Token, double Probability)[] Candidates(double[] logits, SamplingOptions options)
    {
        var ranked = Enumerable.Range(0, logits.Length).OrderByDescending(token => logits[token]).ThenBy(token => token).ToArray();
        var weights = ranked.Select(token => Math.Exp((logits[token] - logits[ranked[0]]) / options.Temperature)).ToArray();
        var count = options.TopK > 0 ? Math.Min(options.TopK, ranked.Length) : ranked.Length;

        var wanted = options.TopP * weights.Take(count).Sum();
        var reached = 0.0;
        for (var i = 0; i < count && options.TopP < 1; i++)
        {
            reached += weights[i];
            if (reached >= wanted)
                count = i + 1;
        }

        var kept = Enumerable.Range(0, count).Where(i => weights[i] >= options.MinP).ToArray();
        var total = kept.Sum(i => weights[i]);
        return [.. kept.Select(i => (ranked[i], weights[i] / total))];
    }

    private static double Arrival(double rate, uint bits) => -Math.Log(1 - ((bits + 0.5) / Math.Pow(2, 32))) / rate;

    /// <summary>The logits after bias and penalties.</summary>
    private static double[] Adjust(float[] logits, SamplingOptions options, int[] prompt, int[] answer)
    {
        var adjusted = logits.Select(logit => (double)logit).ToArray();
        foreach (var (token, value) in options.LogitBias)
            adjusted[token] += value;
        foreach (var token in prompt.Union(answer))
            adjusted[token] = adjusted[token] > 0 ? adjusted[token] / options.RepetitionPenalty : adjusted[token] * options.RepetitionPenalty;
        foreach (var group in answer.GroupBy(token => token))
            adjusted[group.Key] -= options.PresencePenalty + ((double)options.FrequencyPenalty * group.Count());
        return adjusted;
    }
}
