using DeltaKV.Compression.Codes;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>The parameters of one layer's codec on the device: fp32, as halves for products, and Adam's moments.</summary>
internal sealed class NetworkParameters : IDisposable
{
    private readonly MemoryBuffer1D<float, Stride1D.Dense> values;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> halves;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> first;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> second;

    internal NetworkParameters(Accelerator accelerator, NetworkShape shape)
    {
        shape.Validate();
        Shape = shape;
        values = accelerator.Allocate1D<float>(shape.Count);
        halves = accelerator.Allocate1D<uint>(shape.Count / 2);
        first = accelerator.Allocate1D<float>(shape.Count);
        second = accelerator.Allocate1D<float>(shape.Count);
    }

    internal NetworkShape Shape { get; }

    internal long Count => Shape.Count;

    internal ArrayView<float> Values => values.View;

    /// <summary>Pairs of halves.</summary>
    internal ArrayView<uint> Halves => halves.View;

    internal ArrayView<float> FirstMoments => first.View;

    internal ArrayView<float> SecondMoments => second.View;

    internal ArrayView<uint> Hidden => halves.View.SubView(0, Shape.Bias / 2);

    internal ArrayView<float> Bias => values.View.SubView(Shape.Bias, Shape.Rows);

    internal ArrayView<uint> Down => halves.View.SubView(Shape.Down / 2, (Shape.DecoderWeight - Shape.Down) / 2);

    internal ArrayView<uint> DecoderHidden => halves.View.SubView(Shape.DecoderWeight / 2, (Shape.DecoderBias - Shape.DecoderWeight) / 2);

    internal ArrayView<float> DecoderBias => values.View.SubView(Shape.DecoderBias, Shape.DecoderRows);

    internal ArrayView<uint> Up => halves.View.SubView(Shape.Up / 2, (Shape.Offset - Shape.Up) / 2);

    /// <summary>The bias of up; empty without one.</summary>
    internal ArrayView<float> Offset => values.View.SubView(Shape.Offset, Shape.Count - Shape.Offset);

    /// <summary>Starting values, uniform within one over the square root of a layer's inputs; biases begin at 0.</summary>
    internal static float[] Random(NetworkShape shape, SeededRandom random)
    {
        var values = new float[shape.Count];
        Fill(values.AsSpan(0, (int)shape.Bias), shape.Width);
        Fill(values.AsSpan((int)shape.Down, (int)(shape.DecoderWeight - shape.Down)), shape.Inputs);
        Fill(values.AsSpan((int)shape.DecoderWeight, (int)(shape.DecoderBias - shape.DecoderWeight)), shape.Latents);
        Fill(values.AsSpan((int)shape.Up, (int)(shape.Offset - shape.Up)), shape.Terms);
        return values;

        void Fill(Span<float> part, int inputs)
        {
            var bound = 1 / Math.Sqrt(inputs);
            foreach (ref var value in part)
                value = (float)(bound * ((2 * random.NextDouble()) - 1));
        }
    }

    /// <summary>Sets all parameters and forgets the moments.</summary>
    internal void Set(AcceleratorStream stream, ReadOnlySpan<float> parameters)
    {
        values.View.BaseView.CopyFromCPU(stream, parameters);
        var rounded = new uint[parameters.Length / 2];
        for (var i = 0; i < rounded.Length; i++)
            rounded[i] = HalfRange.Pack(parameters[2 * i], parameters[(2 * i) + 1]);
        halves.View.BaseView.CopyFromCPU<uint>(stream, rounded);
        first.MemSet(stream, 0);
        second.MemSet(stream, 0);
        stream.Synchronize();
    }

    internal float[] Get(AcceleratorStream stream)
    {
        var result = new float[Shape.Count];
        values.View.BaseView.CopyToCPU<float>(stream, result);
        stream.Synchronize();
        return result;
    }

    public void Dispose()
    {
        values.Dispose();
        halves.Dispose();
        first.Dispose();
        second.Dispose();
    }
}
