using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression;

/// <summary>A cache that keeps everything raw, filled with random keys and values step by step as the engine fills it, and the plain truth beside it.</summary>
internal sealed class PartialReadFixture : IDisposable
{
    internal static readonly AttentionShape Shape = new(6, 2, 64);

    private readonly KernelFixture device;
    private readonly BFloat16Kernels kernels;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> sequences;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> positions;
    private readonly MemoryBuffer1D<PrefillTile, Stride1D.Dense> tiles;

    internal PartialReadFixture(KernelFixture device, Func<AcceleratorStream, ITransformerKernels<BFloat16>, IKvLayers<BFloat16>> open)
    {
        this.device = device;
        kernels = new BFloat16Kernels(device.Accelerator, Shape, 4);
        Layers = open(device.Stream, kernels);
        sequences = device.Upload(new int[4]);
        positions = device.Upload(new int[4]);
        tiles = device.Upload(new PrefillTile[2]);
    }

    internal IKvLayers<BFloat16> Layers { get; }

    /// <summary>A token's key or value of a head: the same for a token id and position, whatever the sequence.</summary>
    internal static float[] Row(int token, int position, int layer, int head, bool isValue)
    {
        // Runs of tokens resemble each other, so that pages differ.
        var page = Numbers.BFloat16s(HashCode(token, position / 16, layer, head, isValue), Shape.HeadDim, 1.5f);
        var own = Numbers.BFloat16s(HashCode(token, position, layer, head + 100, isValue), Shape.HeadDim, 1f);
        return [.. page.Zip(own, (a, b) => (float)BFloat16.FromSingle((float)a + (float)b))];
    }

    /// <summary>Computes the tokens of a sequence up to a length in chunks.</summary>
    internal void Extend(ISequenceCache sequence, int[] tokens, int length, int chunk, int layerCount)
    {
        while (sequence.Length < length)
        {
            var count = Math.Min(chunk, length - sequence.Length);
            Assert.True(sequence.TryReserve(count));
            Layers.Prepare(device.Stream, [new SequenceStep(sequence, 0, count)]);
            Write(sequence, tokens, sequence.Length, count, layerCount);
            sequence.Commit(tokens.AsSpan(0, sequence.Length + count));
            Layers.Cache.Flush();
        }
    }

    /// <summary>One decode step of every sequence and one layer after the other: their attention outputs <c>[layer][sequence][queryHeads * headDim]</c>.</summary>
    internal float[][][] Decode((ISequenceCache Cache, int[] Tokens)[] steps, float[][] qkv)
    {
        for (var i = 0; i < steps.Length; i++)
            Assert.True(steps[i].Cache.TryReserve(1));
        Layers.Prepare(device.Stream, [.. steps.Select((step, i) => new SequenceStep(step.Cache, i, 1))]);
        foreach (var (cache, tokens) in steps)
            Write(cache, tokens, cache.Length, 1, qkv.Length);
        // A padding row, as a graph's bucket has them.
        var rows = steps.Length + 1;
        sequences.View.SubView(0, rows).BaseView.CopyFromCPU(device.Stream, [.. Enumerable.Range(0, steps.Length), 0]);
        positions.View.SubView(0, rows).BaseView.CopyFromCPU(device.Stream, [.. steps.Select(step => step.Cache.Length), -1]);
        var step = new AttentionStep(new TokenRows(sequences.View, positions.View), tiles.View, rows, 0, rows, 4096);
        var outputs = new List<float[][]>();
        foreach (var layer in Enumerable.Range(0, qkv.Length))
        {
            using var input = device.Upload([.. Array.ConvertAll(qkv[layer], BFloat16.FromSingle), .. new BFloat16[Shape.QkvWidth]]);
            using var output = device.Poisoned<BFloat16>(rows * Shape.OutputWidth);
            Layers.Attend(device.Stream, layer, input.View, step, output.View);
            outputs.Add(Numbers.Widen(device.Download(output, rows * Shape.OutputWidth)).Chunk(Shape.OutputWidth).Take(steps.Length).ToArray());
        }

        foreach (var (cache, tokens) in steps)
            cache.Commit(tokens.AsSpan(0, cache.Length + 1));
        Layers.Cache.Flush();
        return [.. outputs];
    }

    /// <summary>A chunk of a prompt, one layer after the other: attention outputs <c>[layer][row][queryHeads * headDim]</c>.</summary>
    internal float[][][] Prefill(ISequenceCache cache, int[] tokens, int count, float[][] qkv)
    {
        Assert.True(cache.TryReserve(count));
        Layers.Prepare(device.Stream, [new SequenceStep(cache, 0, count)]);
        Write(cache, tokens, cache.Length, count, qkv.Length);
        var cut = new PrefillTile[2];
        var tileCount = PrefillTile.Cut(0, 0, count, cache.Length, cut);
        tiles.View.BaseView.CopyFromCPU(device.Stream, cut);
        var step = new AttentionStep(new TokenRows(sequences.View, positions.View), tiles.View, 0, tileCount, count, 4096);
        var outputs = new List<float[][]>();
        foreach (var layer in Enumerable.Range(0, qkv.Length))
        {
            using var input = device.Upload(Array.ConvertAll(qkv[layer], BFloat16.FromSingle));
            using var output = device.Poisoned<BFloat16>(count * Shape.OutputWidth);
            Layers.Attend(device.Stream, layer, input.View, step, output.View);
            outputs.Add(Numbers.Widen(device.Download(output, count * Shape.OutputWidth)).Chunk(Shape.OutputWidth).ToArray());
        }

        cache.Commit(tokens.AsSpan(0, cache.Length + count));
        Layers.Cache.Flush();
        return [.. outputs];
    }

    /// <summary>q of every sequence, k and v in qkv not being read.</summary>
    internal static float[] Queries(int seed, int count) => Numbers.Widen(Numbers.BFloat16s(seed, count * Shape.QkvWidth, 1f));

    /// <summary>Softmax weights of a query over positions, and the output.</summary>
    internal static (double[] Weights, double[] Output) Attend(ReadOnlySpan<float> query, int[] tokens, int layer, int head, int[] read)
    {
        var scores = new double[read.Length];
        for (var n = 0; n < read.Length; n++)
        {
            var key = Row(tokens[read[n]], read[n], layer, head, isValue: false);
            for (var i = 0; i < key.Length; i++)
                scores[n] += (double)query[i] * key[i] / Math.Sqrt(Shape.HeadDim);
        }

        var largest = scores.Max();
        var total = scores.Sum(score => Math.Exp(score - largest));
        var weights = Array.ConvertAll(scores, score => Math.Exp(score - largest) / total);
        var output = new double[Shape.HeadDim];
        for (var n = 0; n < read.Length; n++)
        {
            var value = Row(tokens[read[n]], read[n], layer, head, isValue: true);
            for (var i = 0; i < output.Length; i++)
                output[i] += weights[n] * value[i];
        }

        return (weights, output);
    }

    public void Dispose()
    {
        Layers.Dispose();
        kernels.Dispose();
        sequences.Dispose();
        positions.Dispose();
        tiles.Dispose();
    }

    private static int HashCode(int token, int position, int layer, int head, bool isValue) =>
        (((((((token * 31) + position) * 31) + layer) * 31) + head) * 2) + (isValue ? 1 : 0);

    private void Write(ISequenceCache sequence, int[] tokens, int first, int count, int layerCount)
    {
        for (var layer = 0; layer < layerCount; layer++)
        {
            var blocks = Layers.Blocks(layer);
            for (var p = first; p < first + count; p++)
            {
                for (var head = 0; head < Shape.KeyHeads; head++)
                {
                    long at = ((((sequence.Blocks[p / 64] * Shape.KeyHeads) + head) * 64) + (p % 64)) * Shape.HeadDim;
                    Put(blocks.Keys, at, Row(tokens[p], p, layer, head, isValue: false));
                    Put(blocks.Values, at, Row(tokens[p], p, layer, head, isValue: true));
                }
            }
        }

        void Put(ArrayView<BFloat16> target, long at, float[] row) =>
            target.SubView(at, row.Length).CopyFromCPU(device.Stream, Array.ConvertAll(row, BFloat16.FromSingle));
    }
}
