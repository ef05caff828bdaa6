using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>Chooses the next token of every row from its logits: argmax, or a draw from the softmax cut by top-k, top-p and min-p.</summary>
/// <remarks>
/// Shapes: logits <c>[rows, vocabulary]</c> fp32. One group per row. A pass applies bias and penalties and finds the most likely token; to draw, a second
/// replaces logits by probabilities relative to it in 31-bit fixed point, whose sums are exact in any order. Cuts are searched by value, two
/// bits a pass (<see cref="ProbabilityCut"/>), with no sort. Reads 4 bytes per logit and pass from L2: bound by one multiprocessor's
/// share of it, some 5 us per pass at 128k tokens. Ties at a cut are all kept; equal logits resolve to the lowest token.
/// </remarks>
internal static class SamplingKernel
{
    /// <summary>The probability of the most likely token relative to itself.</summary>
    internal const float One = 1u << 31;

    internal static void Kernel(SamplingArguments arguments)
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var row = arguments.Rows[Grid.IdxX];
        var logits = arguments.Logits.SubView((long)Grid.IdxX * arguments.Vocabulary, arguments.Vocabulary);
        if (row.Biases > 0)
            AddBiases(logits, arguments.Biases.SubView(row.FirstBias), row.Biases);
        var token = FindLargest(arguments, row, logits, out var largest);
        if (row.Temperature > 0 && row.TopK != 1)
        {
            var scale = 1.4426950408889634f / row.Temperature;
            var weights = logits.Cast<uint>();
            for (var i = Group.IdxX; i < arguments.Vocabulary; i += Group.DimX)
                weights[i] = (uint)(FastMath.Ex2((logits[i] - largest) * scale) * One);
            Group.Barrier();

            var cut = Math.Max(1u, (uint)(row.MinP * One));
            var top = 1u;
            if (row.TopK > 0 && row.TopK < arguments.Vocabulary)
                top = ProbabilityCut.Find<ProbabilityCut.Count>(weights, 1u, (ulong)row.TopK);
            if (row.TopP < 1)
            {
                var total = ProbabilityCut.Sum<ProbabilityCut.Mass>(weights, top);
                top = ProbabilityCut.Find<ProbabilityCut.Mass>(weights, top, Math.Max(1ul, (ulong)(row.TopP * (double)total)));
            }

            token = TokenDraw.Draw(weights, Math.Max(cut, top), Philox.Draw(row.Seed, (ulong)row.Position));
        }

        if (Group.IdxX == 0)
        {
            arguments.Tokens[Grid.IdxX] = token;
            if (row.Counts >= 0)
                arguments.Counts[((long)row.Counts * arguments.Vocabulary) + token]++;
        }
    }

    private static void AddBiases(ArrayView<float> logits, ArrayView<TokenBias> biases, int count)
    {
        for (var i = Group.IdxX; i < count; i += Group.DimX)
        {
            var bias = biases[i];
            if (bias.Token < logits.IntLength)
                logits[bias.Token] += bias.Bias;
        }

        Group.Barrier();
    }

    /// <summary>Applies penalties and returns the first token of the largest logit. A logit that is NaN never is.</summary>
    private static int FindLargest(in SamplingArguments arguments, in SamplingRow row, ArrayView<float> logits, out float largest)
    {
        var token = 0;
        var best = float.NegativeInfinity;
        var counts = arguments.Counts.SubView(Math.Max(0, row.Counts) * (long)arguments.Vocabulary);
        for (var i = Group.IdxX; i < arguments.Vocabulary; i += Group.DimX)
        {
            var logit = logits[i];
            if (row.Counts >= 0)
            {
                logit = Penalise(row, logit, counts[i]);
                logits[i] = logit;
            }

            if (logit > best)
            {
                best = logit;
                token = i;
            }
        }

        largest = GroupReduce.Max(best);
        return FirstToken(best == largest ? token : int.MaxValue);
    }

    private static float Penalise(in SamplingRow row, float logit, int count)
    {
        if (count == 0)
            return logit;
        logit = logit > 0 ? logit / row.RepetitionPenalty : logit * row.RepetitionPenalty;
        var generated = count & (TokenCounts.InPrompt - 1);
        return generated == 0 ? logit : logit - row.PresencePenalty - (generated * row.FrequencyPenalty);
    }

    private static int FirstToken(int token)
    {
        ref var first = ref SharedMemory.Allocate<int>();
        if (Group.IdxX == 0)
            first = int.MaxValue;
        Group.Barrier();
        if (token != int.MaxValue)
            Atomic.Min(ref first, token);
        Group.Barrier();
        return first;
    }
}
