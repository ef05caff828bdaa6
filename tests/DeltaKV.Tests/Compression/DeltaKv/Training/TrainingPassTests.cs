using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv.Training;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.DeltaKv.Training;

/// <summary>Losses and gradients of whole codecs against finite differences in double.</summary>
[Collection(KernelCollection.Name)]
public sealed class TrainingPassTests(KernelFixture device)
{
    private const double Step = 1e-5;

    [Theory]
    [InlineData("SwiGlu", 48, 32, 32, 16, "", 0)]
    [InlineData("Gelu", 64, 48, 32, 24, "", 0)]
    [InlineData("SwiGlu", 80, 16, 64, 8, "", 0)]
    [InlineData("", 64, 0, 32, 16, "", 0)]
    [InlineData("Gelu", 64, 48, 32, 24, "Gelu", 80)]
    [InlineData("SwiGlu", 48, 32, 32, 16, "SwiGlu", 64)]
    [InlineData("", 64, 0, 32, 16, "Gelu", 16)]
    public void Gradients_are_those_of_finite_differences(string kind, int width, int features, int latents, int batch, string decoder, int decoderFeatures)
    {
        var shape = new NetworkShape(width, Parse(kind), features, latents, Parse(decoder), decoderFeatures);
        var values = NetworkParameters.Random(shape, new SeededRandom(3, kind));
        // Halves throughout, so that device and reference have the same function; biases too, which start at 0.
        for (var i = 0L; i < values.Length; i++)
            values[i] = (float)(System.Half)(IsBias(shape, i) ? 0.1f * (i % 5) : 2 * values[i]);
        var (tokens, references) = (Numbers.Singles(1, batch * width, 2f), Numbers.Singles(2, batch * width, 2f));
        var rows = LayerRows.Of(tokens, references, width, 1f);

        using var network = new NetworkParameters(device.Accelerator, shape);
        using var pass = new TrainingPass(device.Accelerator, shape, batch);
        network.Set(device.Stream, values);
        pass.Inputs.SubView(0, rows.Tokens.Length).CopyFromCPU<uint>(device.Stream, rows.Tokens);
        pass.Inputs.SubView(rows.Tokens.Length, rows.Tokens.Length).CopyFromCPU<uint>(device.Stream, rows.References);
        pass.Forward(device.Stream, network, batch);
        pass.Backward(device.Stream, network, batch);

        var parameters = Array.ConvertAll(values, value => (double)value);
        var (own, other) = (Rows(rows.Tokens, width), Rows(rows.References, width));
        var loss = ScalarTraining.Loss(shape, parameters, own, other);
        Assert.Equal(loss, 0.5 * Read(pass.RowLosses, batch).Sum(value => (double)value), loss * 2e-3);

        var gradients = Read(pass.Gradients, (int)shape.Count);
        var norm = Math.Sqrt(gradients.Sum(g => (double)g * g));
        Assert.Equal(norm, Math.Sqrt(Read(pass.SquaredNorm, 1)[0]), norm * 1e-4);
        long[] borders = [0, shape.Bias, shape.Down, shape.DecoderWeight, shape.DecoderBias, shape.Up, shape.Offset, shape.Count];
        foreach (var (first, last) in borders.Zip(borders.Skip(1)))
        {
            // SwiGLU has no biases to train, as published.
            if (last == first || (IsBias(shape, first) && kind + decoder is "SwiGlu" or "SwiGluSwiGlu"))
                continue;
            var part = gradients[(int)first..(int)last];
            var size = Math.Sqrt(part.Average(g => (double)g * g));
            Assert.True(size > 0);
            var random = new Random(4);
            for (var i = 0; i < 40; i++)
            {
                var at = first + random.NextInt64(last - first);
                var expected = Slope(shape, parameters, own, other, at);
                // Features, latents and errors pass between products as halves: a part in a thousand each.
                Assert.InRange(gradients[at], expected - (0.01 * (size + Math.Abs(expected))), expected + (0.01 * (size + Math.Abs(expected))));
            }
        }
    }

    private static FeatureActivation? Parse(string kind) => kind.Length == 0 ? null : Enum.Parse<FeatureActivation>(kind);

    private static bool IsBias(NetworkShape shape, long at) =>
        (at >= shape.Bias && at < shape.Down) || (at >= shape.DecoderBias && at < shape.Up) || at >= shape.Offset;

    private static double Slope(NetworkShape shape, double[] parameters, double[][] tokens, double[][] references, long at)
    {
        var value = parameters[at];
        parameters[at] = value + Step;
        var above = ScalarTraining.Loss(shape, parameters, tokens, references);
        parameters[at] = value - Step;
        var below = ScalarTraining.Loss(shape, parameters, tokens, references);
        parameters[at] = value;
        return (above - below) / (2 * Step);
    }

    private static double[][] Rows(uint[] pairs, int width) => [.. pairs
        .SelectMany(pair => new double[] { new Half2(pair).Low, new Half2(pair).High }).Chunk(width)];

    private float[] Read(ArrayView<float> view, int count)
    {
        var result = new float[count];
        view.SubView(0, count).CopyToCPU<float>(device.Stream, result);
        device.Stream.Synchronize();
        return result;
    }
}
