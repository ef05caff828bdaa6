using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>Chooses a token per row of logits: bias, penalties, temperature, top-k, top-p, min-p, then the most likely one or a draw.</summary>
/// <remarks>
/// <para>Shapes: logits <c>[rows, vocabulary]</c> fp32, changed in place where bias or penalties apply; bias <c>[slots, MaxBiases]</c>; counts
/// <c>[slots, vocabulary]</c>; tokens <c>[rows]</c>. One group per row.</para>
/// <para>The most likely token takes one pass over the row, 4 bytes a token: bound by what one multiprocessor reads from L2, some 5 us for 128k
/// tokens. Top-k and top-p rank the tokens by probability, then by id, and search that ranking by histograms (<see cref="RankSearch"/>), three to
/// four passes each; nothing is sorted. A draw is one more pass, some 100 instructions per token that is kept: every token draws a time at which
/// it arrives, and the first one wins (<see cref="Race"/>).</para>
/// <para>A draw depends on the row's logits, its seed and its position only: random bits are counted (<see cref="Philox"/>) and probabilities are
/// summed as integers, so neither the batch nor the group size changes it. Where logits differ in their last bits, it differs only if two tokens
/// arrive nearly together; a point on the line of all probabilities would move with every token before it.</para>
/// <para>Order of the filters as in Transformers. A token 2^64 times less likely than the most likely one counts as impossible.</para>
/// </remarks>
internal sealed class SamplingKernel(Accelerator accelerator)
{
    /// <summary>The most biased tokens of a row.</summary>
    internal const int MaxBiases = 1024;

    /// <summary>The largest vocabulary.</summary>
    internal const int MaxVocabulary = 1 << RankedRow.IdBits;

    /// <summary>Set in a token count if the prompt has the token; the other bits count the answer.</summary>
    internal const int InPrompt = int.MinValue;

    private const int MaxGroupSize = 1024;

    private readonly KernelHandle<Arguments> sample = new(accelerator, Kernel, new KernelSpecialization(MaxGroupSize, 1));

    /// <summary>Chooses the tokens of <paramref name="count"/> rows.</summary>
    internal void Launch(
        AcceleratorStream stream,
        ArrayView<float> logits,
        ArrayView<SamplingRow> rows,
        ArrayView<TokenBias> biases,
        ArrayView<int> counts,
        ArrayView<int> tokens,
        int count,
        int vocabulary)
    {
        if (vocabulary > MaxVocabulary)
            throw new ArgumentOutOfRangeException(nameof(vocabulary), vocabulary, $"A ranking has room for {MaxVocabulary} tokens.");
        if (count == 0)
            return;
        var groupSize = Math.Clamp(((vocabulary / 8) + 31) / 32 * 32, 32, MaxGroupSize);
        sample.Launch(stream, new KernelConfig(count, groupSize), new Arguments(logits, rows, biases, counts, tokens, vocabulary));
    }

    private static void Kernel(Arguments arguments)
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var row = arguments.Rows[Grid.IdxX];
        var logits = arguments.Logits.SubView((long)Grid.IdxX * arguments.Vocabulary, arguments.Vocabulary);
        if (row.BiasCount > 0)
            AddBias(logits, arguments.Biases.SubView((long)row.Slot * MaxBiases), row.BiasCount);
        if (row.Penalizes != 0)
            Penalize(logits, arguments.Counts.SubView((long)row.Slot * arguments.Vocabulary), row);

        var best = ArgMax(logits, out var largest);
        // Infinity minus infinity is no distance.
        var token = row.Scale == 0f || largest == float.PositiveInfinity || largest == float.NegativeInfinity ? best : Draw(logits, largest, row);
        if (Group.IdxX == 0)
            arguments.Tokens[Grid.IdxX] = token;
    }

    private static void AddBias(ArrayView<float> logits, ArrayView<TokenBias> biases, int count)
    {
        for (var i = Group.IdxX; i < count; i += Group.DimX)
            logits[biases[i].Token] += biases[i].Value;
        Group.Barrier();
    }

    private static void Penalize(ArrayView<float> logits, ArrayView<int> counts, in SamplingRow row)
    {
        if (Group.IdxX == 0 && row.NewToken >= 0)
            counts[row.NewToken]++;
        Group.Barrier();
        for (var token = Group.IdxX; token < logits.IntLength; token += Group.DimX)
        {
            var seen = counts[token];
            if (seen == 0)
                continue;
            var logit = logits[token];
            logit = logit > 0f ? logit / row.RepetitionPenalty : logit * row.RepetitionPenalty;
            var answered = seen & ~InPrompt;
            logits[token] = answered == 0 ? logit : logit - row.PresencePenalty - (row.FrequencyPenalty * answered);
        }

        Group.Barrier();
    }

    /// <summary>The most likely token, the lowest of equals; 0 if there is no number among the logits.</summary>
    private static int ArgMax(ArrayView<float> logits, out float largest)
    {
        var best = 0;
        var value = float.NegativeInfinity;
        var loaded = LocalMemory.Allocate<float>(LogitReads.Count);
        for (var start = Group.IdxX; start < logits.IntLength; start += LogitReads.Count * Group.DimX)
        {
            LogitReads.Load(logits, start, loaded);
            for (var i = 0; i < Unroll.Full(LogitReads.Count); i++)
            {
                if (loaded[i] > value)
                {
                    value = loaded[i];
                    best = LogitReads.Token(logits, start, i);
                }
            }
        }

        largest = GroupReduce.Max(value);
        return First(best, value, largest);
    }

    /// <summary>The rank behind which no token is kept.</summary>
    private static ulong LastKept(in RankedRow ranked, in SamplingRow row)
    {
        var last = RankedRow.LastRank;
        if (row.TopK > 0 || row.TopP > 0)
        {
            var bins = new RankBins(
                SharedMemory.Allocate<uint>(RankBins.Words),
                SharedMemory.Allocate<uint>(RankBins.Words),
                SharedMemory.Allocate<uint>(RankBins.Words),
                SharedMemory.Allocate<ulong>(RankBins.Count),
                SharedMemory.Allocate<uint>(RankBins.Count));
            bins.Clear();
            Group.Barrier();
            if (row.TopK > 0)
                last = RankSearch.Find<CountTarget>(ranked, bins, last, (ulong)row.TopK);
            if (row.TopP > 0)
                last = Min(last, RankSearch.Find<ShareTarget>(ranked, bins, last, row.TopP));
        }

        return Min(last, RankedRow.LastRankOf(row.MaxKey));
    }

    private static int Draw(ArrayView<float> logits, float largest, in SamplingRow row)
    {
        var ranked = new RankedRow(logits, largest, row.Scale);
        var last = LastKept(ranked, row);
        var best = 0;
        var value = float.NegativeInfinity;
        var loaded = LocalMemory.Allocate<float>(LogitReads.Count);
        for (var start = Group.IdxX; start < logits.IntLength; start += LogitReads.Count * Group.DimX)
        {
            LogitReads.Load(logits, start, loaded);
            for (var i = 0; i < Unroll.Full(LogitReads.Count); i++)
            {
                var token = start + (i * Group.DimX);
                var distance = ranked.Distance(loaded[i]);
                if (token >= logits.IntLength || !(distance < RankedRow.Reach) || RankedRow.Rank(distance, token) > last)
                    continue;
                var score = Race.Lead(Philox.Bits(row.Seed, (uint)row.Position, (uint)token)) - distance;
                if (score > value)
                {
                    value = score;
                    best = token;
                }
            }
        }

        return First(best, value, GroupReduce.Max(value));
    }

    /// <summary>The lowest token of the threads whose value is the largest.</summary>
    private static int First(int token, float value, float largest)
    {
        ref var first = ref SharedMemory.Allocate<int>();
        if (Group.IdxX == 0)
            first = int.MaxValue;
        Group.Barrier();
        if (value == largest)
            Atomic.Min(ref first, token);
        Group.Barrier();
        return first;
    }

    private static ulong Min(ulong a, ulong b) => a < b ? a : b;

    private readonly struct Arguments(
        ArrayView<float> logits, ArrayView<SamplingRow> rows, ArrayView<TokenBias> biases, ArrayView<int> counts, ArrayView<int> tokens, int vocabulary)
    {
        public readonly ArrayView<float> Logits = logits;
        public readonly ArrayView<SamplingRow> Rows = rows;
        public readonly ArrayView<TokenBias> Biases = biases;
        public readonly ArrayView<int> Counts = counts;
        public readonly ArrayView<int> Tokens = tokens;
        public readonly int Vocabulary = vocabulary;
    }
}
