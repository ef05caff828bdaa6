using DeltaKV.Compression.Eviction;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>
/// What attention over coded kept tokens must give, in double: the tokens are those that the same policy keeps without codes, and each is what its code, computed one number at a time, says.
/// </summary>
internal sealed class CodedAccount(AttentionShape shape, EvictionRun plain, EvictingSequence kept, EvictingSequence coded, Func<int, IScalarCode> codes)
{
    // What has been coded once is no more than that, even where it is raw again.
    private readonly Dictionary<(int Layer, int Head, int Position), (double[] Key, double[] Value)> decoded = [];
    private readonly Dictionary<(int Layer, int Head), (double[] Key, double[] Value)[]> entries = [];

    /// <summary>A step is over: looks at what is kept, and coded, now.</summary>
    internal void Look()
    {
        for (var layer = 0; layer < EvictionRun.LayerCount; layer++)
        {
            for (var head = 0; head < shape.KeyHeads; head++)
                entries[(layer, head)] = Look(layer, head);
        }
    }

    /// <summary>Attention from a new token: to what there was before the step, and to the step's tokens up to it.</summary>
    internal double[] Attend(int layer, int position, int length)
    {
        var row = plain.Row(layer, position);
        var output = new double[shape.OutputWidth];
        for (var queryHead = 0; queryHead < shape.QueryHeads; queryHead++)
        {
            var head = queryHead / shape.GroupSize;
            var seen = entries.GetValueOrDefault((layer, head), []).Concat(Enumerable.Range(length, position - length + 1).Select(p => Raw(layer, head, p))).ToArray();
            var query = Part(row, queryHead);
            var scores = Array.ConvertAll(seen, entry => entry.Key.Zip(query, (a, b) => a * b).Sum() / Math.Sqrt(shape.HeadDim));
            var largest = scores.Max();
            var weights = Array.ConvertAll(scores, score => Math.Exp(score - largest));
            var total = weights.Sum();
            for (var i = 0; i < seen.Length; i++)
            {
                for (var d = 0; d < shape.HeadDim; d++)
                    output[(queryHead * shape.HeadDim) + d] += weights[i] / total * seen[i].Value[d];
            }
        }

        return output;
    }

    private (double[] Key, double[] Value)[] Look(int layer, int head)
    {
        var positions = plain.Kept(kept, layer, head);
        var blocks = coded.Layers[layer];
        var code = codes(layer);
        for (var slot = blocks.CodedStart; slot < blocks.CodedEnd; slot += code.Tokens)
        {
            var group = positions.AsSpan(slot - blocks.Start, code.Tokens).ToArray();
            if (decoded.ContainsKey((layer, head, group[0])))
                continue;
            var raw = Array.ConvertAll(group, position => Raw(layer, head, position));
            var (keys, values) = code.Decode([.. raw.Select(entry => entry.Key)], [.. raw.Select(entry => entry.Value)], slot, group);
            for (var i = 0; i < group.Length; i++)
                decoded.Add((layer, head, group[i]), (keys[i], values[i]));
        }

        return Array.ConvertAll(positions, position => decoded.TryGetValue((layer, head, position), out var entry) ? entry : Raw(layer, head, position));
    }

    private (double[] Key, double[] Value) Raw(int layer, int head, int position)
    {
        var row = plain.Row(layer, position);
        return (Part(row, shape.QueryHeads + head), Part(row, shape.QueryHeads + shape.KeyHeads + head));
    }

    private double[] Part(BFloat16[] row, int part) =>
        [.. Numbers.Widen(row.AsSpan(part * shape.HeadDim, shape.HeadDim).ToArray()).Select(value => (double)value)];
}
