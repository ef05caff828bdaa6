using DeltaKV.Compression.Eviction;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>What an evicting cache must keep and attend to, in double and one number at a time.</summary>
internal sealed class ScalarEviction(AttentionShape shape, IEvictionPolicy policy, int layers)
{
    private readonly List<Entry>[] heads = [.. Enumerable.Range(0, layers * shape.KeyHeads).Select(_ => new List<Entry>())];
    private readonly List<double[]>[] queries = [.. Enumerable.Range(0, layers).Select(_ => new List<double[]>())];

    /// <summary>Takes in a row of q, k, v at the next position and returns attention's output from it.</summary>
    internal double[] Attend(int layer, int position, float[] row)
    {
        var query = Array.ConvertAll(row, value => (double)value);
        Assert.Equal(position, queries[layer].Count);
        queries[layer].Add(query);
        var output = new double[shape.OutputWidth];
        for (var head = 0; head < shape.KeyHeads; head++)
        {
            var entries = heads[(layer * shape.KeyHeads) + head];
            entries.Add(new Entry(
                position,
                query.AsSpan((shape.QueryHeads + head) * shape.HeadDim, shape.HeadDim).ToArray(),
                query.AsSpan((shape.QueryHeads + shape.KeyHeads + head) * shape.HeadDim, shape.HeadDim).ToArray()));
            for (var member = 0; member < shape.GroupSize; member++)
            {
                var queryHead = (head * shape.GroupSize) + member;
                var probabilities = Probabilities(entries, query, queryHead, position);
                for (var i = 0; i < entries.Count; i++)
                {
                    for (var d = 0; d < shape.HeadDim; d++)
                        output[(queryHead * shape.HeadDim) + d] += probabilities[i] * entries[i].Value[d];
                    if (policy.Scoring is { Window: null } && policy is not IProbingPolicy)
                        entries[i].Mark += Weight(layer, queryHead) * probabilities[i];
                }
            }
        }

        return output;
    }

    /// <summary>The same for a token of a probe, which looks at all others and is forgotten: what it pays most attention to is remembered.</summary>
    internal double[] Probe(int layer, int position, float[] row)
    {
        // A part of the prompt begins where the last one began.
        while (queries[layer].Count > position)
            Forget(layer);
        var output = Attend(layer, position, row);
        for (var head = 0; head < shape.KeyHeads; head++)
        {
            var entries = heads[(layer * shape.KeyHeads) + head];
            for (var queryHead = head * shape.GroupSize; queryHead < (head + 1) * shape.GroupSize; queryHead++)
            {
                var probabilities = Probabilities(entries, queries[layer][position], queryHead, position);
                for (var i = 0; i < entries.Count; i++)
                    entries[i].Mark = Math.Max(entries[i].Mark, probabilities[i]);
            }
        }

        return output;
    }

    /// <summary>The probe is over.</summary>
    internal void EndProbe(int length)
    {
        for (var layer = 0; layer < layers; layer++)
        {
            while (queries[layer].Count > length)
                Forget(layer);
        }
    }

    /// <summary>How much each token of a head is remembered for.</summary>
    internal IEnumerable<double> Marks(int layer, int head) => heads[(layer * shape.KeyHeads) + head].Select(entry => entry.Mark);

    private void Forget(int layer)
    {
        queries[layer].RemoveAt(queries[layer].Count - 1);
        for (var head = 0; head < shape.KeyHeads; head++)
            heads[(layer * shape.KeyHeads) + head].RemoveAt(heads[(layer * shape.KeyHeads) + head].Count - 1);
    }

    /// <summary>Fails unless the heads of a layer keep what they should.</summary>
    internal void Agree(int layer, int budget, int[][] kept, int promptTokens, double tolerance)
    {
        // All ranks before any head forgets: they may share them.
        var isEvicted = kept[0].Length < heads[layer * shape.KeyHeads].Count;
        var ranks = Enumerable.Range(0, shape.KeyHeads).Select(head => isEvicted ? Ranks(layer, head, budget, promptTokens) : []).ToArray();
        for (var head = 0; head < shape.KeyHeads; head++)
            Agree(layer, head, budget, kept[head], ranks[head], tolerance);
    }

    /// <summary>
    /// Fails unless a head keeps what it should: everything, or of what it had the sinks, the recent tokens and the best ranked others. Tokens whose ranks are as good as
    /// equal may stand for each other; from here on the account goes on with those that were kept.
    /// </summary>
    private void Agree(int layer, int head, int budget, int[] kept, double[] ranks, double tolerance)
    {
        var entries = heads[(layer * shape.KeyHeads) + head];
        Assert.Equal(kept.Order(), kept);
        if (kept.Length == entries.Count)
        {
            Assert.Equal(entries.Select(entry => entry.Position), kept);
            return;
        }

        Assert.Equal(budget, kept.Length);
        var history = ranks.Length;
        var chosen = kept.ToHashSet();
        for (var i = 0; i < entries.Count; i++)
        {
            if (i < policy.Sinks || i >= history)
                Assert.Contains(entries[i].Position, chosen);
        }

        var middle = Enumerable.Range(policy.Sinks, history - policy.Sinks).ToArray();
        var worst = middle.Where(i => chosen.Contains(entries[i].Position)).Select(i => ranks[i]).DefaultIfEmpty(double.PositiveInfinity).Min();
        var best = middle.Where(i => !chosen.Contains(entries[i].Position)).Select(i => ranks[i]).Max();
        Assert.True(worst >= best - tolerance, $"Layer {layer}, head {head}: a token of rank {worst:g6} stays and one of rank {best:g6} goes.");
        entries.RemoveAll(entry => !chosen.Contains(entry.Position));
    }

    private double[] Ranks(int layer, int head, int budget, int promptTokens)
    {
        var history = heads[(layer * shape.KeyHeads) + head].Count - Math.Min(policy.Recent(budget), budget - policy.Sinks);
        var scoring = policy.Scoring;
        var mass = new double[history];
        for (var other = 0; other < shape.KeyHeads; other++)
        {
            var entries = heads[(layer * shape.KeyHeads) + other];
            if (scoring is null || (other != head && !scoring.SharedByHeads))
                continue;
            for (var i = 0; i < history; i++)
                mass[i] += scoring.Window is null ? entries[i].Mark : 0;
            for (var position = promptTokens - Math.Min(scoring.Window ?? 0, promptTokens); position < promptTokens && scoring.Window is not null; position++)
            {
                for (var member = 0; member < shape.GroupSize; member++)
                {
                    var queryHead = (other * shape.GroupSize) + member;
                    var probabilities = Probabilities(entries, queries[layer][position], queryHead, position);
                    for (var i = 0; i < history; i++)
                        mass[i] += Weight(layer, queryHead) * probabilities[i];
                }
            }
        }

        var radius = (scoring?.PoolWidth ?? 1) / 2;
        var priorities = new float[history];
        policy.Prefer(layer, new int[history], priorities);
        return [.. Enumerable.Range(0, history).Select(i =>
        {
            var near = mass[Math.Max(0, i - radius)..Math.Min(history, i + radius + 1)];
            return priorities[i] + (scoring?.Pooling == Pooling.Max ? near.Max() : near.Sum() / (2 * radius + 1));
        })];
    }

    private double Weight(int layer, int queryHead) => policy.Scoring?.QueryHeads is not { } chosen || chosen[layer].Contains(queryHead) ? 1 : 0;

    /// <summary>Softmax over the entries up to a position.</summary>
    private double[] Probabilities(List<Entry> entries, double[] query, int queryHead, int position)
    {
        var scores = new double[entries.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = double.NegativeInfinity;
            if (entries[i].Position > position)
                continue;
            scores[i] = 0;
            for (var d = 0; d < shape.HeadDim; d++)
                scores[i] += query[(queryHead * shape.HeadDim) + d] * entries[i].Key[d];
            scores[i] /= Math.Sqrt(shape.HeadDim);
        }

        var largest = scores.Max();
        var total = scores.Sum(score => Math.Exp(score - largest));
        return [.. scores.Select(score => Math.Exp(score - largest) / total)];
    }

    private sealed class Entry(int position, double[] key, double[] value)
    {
        internal int Position => position;

        internal double[] Key => key;

        internal double[] Value => value;

        internal double Mark { get; set; }
    }
}
