using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Tests.Kernels;

/// <summary>A paged cache of one layer with scattered blocks, and the plain truth about it.</summary>
internal sealed class PagedCache<T> : IDisposable
    where T : unmanaged
{
    private readonly MemoryBuffer1D<T, Stride1D.Dense> keyBuffer;
    private readonly MemoryBuffer1D<T, Stride1D.Dense> valueBuffer;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> tableBuffer;
    private readonly int[] tables;
    private readonly int stride;
    private readonly int[] starts;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> startBuffer;

    /// <summary>Room for <paramref name="lengths"/> tokens per sequence, in shuffled blocks; slots beyond them, and before the starts if there are any, hold NaN.</summary>
    internal PagedCache(KernelFixture device, AttentionShape shape, int[] lengths, int seed, Func<int, int, T[]> numbers, int[]? starts = null)
    {
        Shape = shape;
        this.starts = starts ?? [];
        stride = lengths.Max(length => (length + 63) / 64) + 1;
        tables = new int[lengths.Length * stride];
        Array.Fill(tables, int.MaxValue);
        var blocks = lengths.Sum(length => (length + 63) / 64);
        var order = Enumerable.Range(0, blocks + 1).ToArray();
        new Random(seed).Shuffle(order);
        var next = 0;
        for (var s = 0; s < lengths.Length; s++)
        {
            for (var b = First(s) / 64; b < (lengths[s] + 63) / 64; b++)
                tables[(s * stride) + b] = order[next++];
        }

        var elements = (blocks + 1) * shape.BlockElements;
        Keys = new T[elements];
        Values = new T[elements];
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(Keys.AsSpan()).Fill(0xff);
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(Values.AsSpan()).Fill(0xff);
        var keys = numbers(seed + 1, elements);
        var values = numbers(seed + 2, elements);
        for (var s = 0; s < lengths.Length; s++)
        {
            for (var p = First(s); p < lengths[s]; p++)
            {
                for (var h = 0; h < shape.KeyHeads; h++)
                {
                    var at = Index(s, p, h);
                    keys.AsSpan(at, shape.HeadDim).CopyTo(Keys.AsSpan(at));
                    values.AsSpan(at, shape.HeadDim).CopyTo(Values.AsSpan(at));
                }
            }
        }

        keyBuffer = device.Upload(Keys);
        valueBuffer = device.Upload(Values);
        tableBuffer = device.Upload(tables);
        startBuffer = device.Upload(this.starts);
    }

    internal AttentionShape Shape { get; }

    /// <summary>Keys as on the device.</summary>
    internal T[] Keys { get; }

    /// <summary>Values as on the device.</summary>
    internal T[] Values { get; }

    internal KvBlocks<T> Blocks => new(keyBuffer.View, valueBuffer.View, tableBuffer.View, stride, starts: startBuffer.View);

    /// <summary>Where a token's key or value of a head starts.</summary>
    internal int Index(int sequence, int position, int head) =>
        ((((tables[(sequence * stride) + (position / 64)] * Shape.KeyHeads) + head) * 64) + (position % 64)) * Shape.HeadDim;

    internal (T[] Keys, T[] Values) Download() => (keyBuffer.GetAsArray1D(), valueBuffer.GetAsArray1D());

    /// <summary>Attention in double of one query head over positions 0 to <paramref name="position"/>.</summary>
    internal double[] Attend(float[] query, int sequence, int position, int head, Func<T, float> widen)
    {
        var scores = new double[position + 1];
        for (var p = 0; p <= position; p++)
        {
            if (p < First(sequence))
            {
                scores[p] = double.NegativeInfinity;
                continue;
            }

            var at = Index(sequence, p, head / Shape.GroupSize);
            for (var i = 0; i < Shape.HeadDim; i++)
                scores[p] += (double)query[i] * widen(Keys[at + i]);
            scores[p] /= Math.Sqrt(Shape.HeadDim);
        }

        var largest = scores.Max();
        var total = scores.Sum(score => Math.Exp(score - largest));
        var output = new double[Shape.HeadDim];
        for (var p = First(sequence); p <= position; p++)
        {
            var at = Index(sequence, p, head / Shape.GroupSize);
            for (var i = 0; i < Shape.HeadDim; i++)
                output[i] += Math.Exp(scores[p] - largest) / total * widen(Values[at + i]);
        }

        return output;
    }

    private int First(int sequence) => starts.Length == 0 ? 0 : starts[sequence];

    public void Dispose()
    {
        startBuffer.Dispose();
        keyBuffer.Dispose();
        valueBuffer.Dispose();
        tableBuffer.Dispose();
    }
}
