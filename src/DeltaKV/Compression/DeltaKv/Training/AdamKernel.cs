using DeltaKV.Compression.Codes;
using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Adam over a vector of parameters, the gradient clipped to a norm of 1: <c>p -= rate m' / (sqrt(v') + 1e-8)</c> with decaying means m of g and v of g^2.</summary>
/// <remarks>
/// Shapes: all <c>[count]</c> fp32, an even count; copies in pairs of halves are what products read. The gradient's scale is applied here, the squared norm comes from
/// memory, so nothing waits for the host. Moves 30 bytes per parameter: bound by memory. Source: Kingma and Ba, 2015.
/// </remarks>
internal sealed class AdamKernel(Accelerator accelerator)
{
    private const int GroupSize = 256;
    private const float FirstDecay = 0.9f;
    private const float SecondDecay = 0.999f;

    private readonly KernelHandle<Arguments> update = new(accelerator, Kernel);

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="network">Parameters, their moments and copies.</param>
    /// <param name="gradients">Gradients, up to their scale.</param>
    /// <param name="squaredNorm">Their squared norm.</param>
    /// <param name="scale">What they must be multiplied with.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="step">Number of the step, from 1.</param>
    internal void Launch(
        AcceleratorStream stream, NetworkParameters network, ArrayView<float> gradients, ArrayView<float> squaredNorm, float scale, float rate, int step) => update.Launch(
        stream,
        new KernelConfig((int)(((network.Count / 2) + GroupSize - 1) / GroupSize), GroupSize),
        new Arguments
        {
            Parameters = network.Values.Cast<Float2>(),
            Halves = network.Halves,
            First = network.FirstMoments.Cast<Float2>(),
            Second = network.SecondMoments.Cast<Float2>(),
            Gradients = gradients.Cast<Float2>(),
            SquaredNorm = squaredNorm,
            Pairs = network.Count / 2,
            Scale = scale,
            Rate = (float)(rate / (1 - Math.Pow(FirstDecay, step))),
            SecondCorrection = (float)(1 / (1 - Math.Pow(SecondDecay, step))),
        });

    private static void Kernel(Arguments arguments)
    {
        var i = ((long)Grid.IdxX * GroupSize) + Group.IdxX;
        if (i >= arguments.Pairs)
            return;
        var norm = MathF.Sqrt(arguments.SquaredNorm[0]) * arguments.Scale;
        var scale = norm > 1f ? arguments.Scale / norm : arguments.Scale;
        var gradient = arguments.Gradients[i];
        var first = arguments.First[i];
        var second = arguments.Second[i];
        var value = arguments.Parameters[i];
        first = new Float2(Decay(first.X, gradient.X * scale, FirstDecay), Decay(first.Y, gradient.Y * scale, FirstDecay));
        second = new Float2(
            Decay(second.X, gradient.X * scale * (gradient.X * scale), SecondDecay), Decay(second.Y, gradient.Y * scale * (gradient.Y * scale), SecondDecay));
        value = new Float2(Step(arguments, value.X, first.X, second.X), Step(arguments, value.Y, first.Y, second.Y));
        arguments.First[i] = first;
        arguments.Second[i] = second;
        arguments.Parameters[i] = value;
        arguments.Halves[i] = HalfRange.Pack(value.X, value.Y);
    }

    private static float Decay(float mean, float value, float decay) => FastMath.Fma(decay, mean, (1f - decay) * value);

    private static float Step(Arguments arguments, float value, float first, float second) =>
        value - (arguments.Rate * first / (MathF.Sqrt(second * arguments.SecondCorrection) + 1e-8f));

    private struct Arguments
    {
        public ArrayView<Float2> Parameters;
        public ArrayView<uint> Halves;
        public ArrayView<Float2> First;
        public ArrayView<Float2> Second;
        public ArrayView<Float2> Gradients;
        public ArrayView<float> SquaredNorm;
        public long Pairs;
        public float Scale;
        public float Rate;
        public float SecondCorrection;
    }
}
