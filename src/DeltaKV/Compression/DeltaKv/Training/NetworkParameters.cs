using DeltaKV.Compression.Codes;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>The parameters of one layer's codec on the device: fp32, as halves for products, and Adam's moments.</summary>
internal sealed class NetworkParameters : IDisposable
{
    private readonly DeviceBuffers buffers;

    internal NetworkParameters(Accelerator accelerator, NetworkShape shape)
    {
        shape.Validate();
        Shape = shape;
        buffers = new DeviceBuffers(accelerator);
        Values = buffers.Allocate<float>(shape.Count);
        Halves = buffers.Allocate<uint>(shape.Count / 2);
        FirstMoments = buffers.Allocate<float>(shape.Count);
        SecondMoments = buffers.Allocate<float>(shape.Count);
    }

    internal NetworkShape Shape { get; }

    internal long Count => Shape.Count;

    internal ArrayView<float> Values { get; }

    /// <summary>Pairs of halves.</summary>
    internal ArrayView<uint> Halves { get; }

    internal ArrayView<float> FirstMoments { get; }

    internal ArrayView<float> SecondMoments { get; }

    internal ArrayView<uint> Hidden => Halves.SubView(0, Shape.Bias / 2);

    internal ArrayView<float> Bias => Values.SubView(Shape.Bias, Shape.Rows);

    internal ArrayView<uint> Down => Halves.SubView(Shape.Down / 2, (Shape.DecoderWeight - Shape.Down) / 2);

    internal ArrayView<uint> DecoderHidden => Halves.SubView(Shape.DecoderWeight / 2, (Shape.DecoderBias - Shape.DecoderWeight) / 2);

    internal ArrayView<float> DecoderBias => Values.SubView(Shape.DecoderBias, Shape.DecoderRows);

    internal ArrayView<uint> Up => Halves.SubView(Shape.Up / 2, (Shape.Offset - Shape.Up) / 2);

    /// <summary>The bias of up; empty without one.</summary>
    internal ArrayView<float> Offset => Values.SubView(Shape.Offset, Shape.Count - Shape.Offset);

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
        Values.CopyFromCPU(stream, parameters);
        var rounded = new uint[parameters.Length / 2];
        for (var i = 0; i < rounded.Length; i++)
            rounded[i] = HalfRange.Pack(parameters[2 * i], parameters[(2 * i) + 1]);
        Halves.CopyFromCPU<uint>(stream, rounded);
        FirstMoments.MemSetToZero(stream);
        SecondMoments.MemSetToZero(stream);
        stream.Synchronize();
    }

    internal float[] Get(AcceleratorStream stream)
    {
        var result = new float[Shape.Count];
        Values.CopyToCPU<float>(stream, result);
        stream.Synchronize();
        return result;
    }

    public void Dispose() => buffers.Dispose();
}
