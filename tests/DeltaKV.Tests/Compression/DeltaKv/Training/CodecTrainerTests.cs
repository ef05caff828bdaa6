using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv.Training;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Compression.DeltaKv.Training;

/// <summary>Training on rows that a network of few hidden numbers makes: bent, so that fewer latents than dimensions they span would do, were the decoder not linear.</summary>
public sealed class CodecTrainerTests
{
    private const int Width = 64;

    [Theory]
    [InlineData("SwiGlu")]
    [InlineData("Gelu")]
    public void Loss_falls_towards_the_best_linear_codec_and_not_below(string kind)
    {
        var layer = Train(kind, 5, 300);
        var (start, end) = (layer.Losses[..10].Average(), layer.Losses[^10..].Average());
        Assert.InRange(end, 0, 0.35 * start);
        // With a linear decoder no encoder reconstructs better than principal components: what is decoded lies in a subspace, and the nearest point of it is a
        // linear function of the row (Eckart and Young). Held-out rows let it be beaten by what differs from the rows that it was fitted on.
        Assert.InRange(layer.Trained.Exact, 0.97 * layer.Linear.Exact, 0.5 * layer.Residual);
        Assert.InRange(layer.Linear.Exact, 1e-4, 0.3 * layer.Residual);
        Assert.True(layer.Linear.Quantised > layer.Linear.Exact);
        Assert.InRange(layer.Trained.Quantised, layer.Trained.Exact, layer.Trained.Exact + (0.1 * layer.Residual));
    }

    // Rows are sixteen numbers, bent into more dimensions than there are latents: no plane follows them, a bent surface can.
    [Fact]
    public void A_decoder_with_a_hidden_layer_falls_below_the_best_linear_codec()
    {
        var training = new CodecTraining
        {
            Activation = FeatureActivation.Gelu, HiddenDecoder = true, Features = 128, Latents = 32, Steps = 800, BatchRows = 64, Rows = 2048, LearningRate = 1e-2, Seed = 5,
        };
        using var accelerator = TestAccelerators.Create(TestAccelerators.Devices[0]);
        using var trainer = new CodecTrainer(accelerator, training, Width);
        var random = new SeededRandom(1, "folded");
        var mix = Enumerable.Range(0, 2 * Width * 16).Select(_ => random.NextNormal() / 4).ToArray();
        var layer = trainer.Train(Folded(random, mix, 2048), Folded(random, mix, 128), 3);
        Assert.InRange(layer.Linear.Exact, 0.05, 1);
        Assert.InRange(layer.Trained.Exact, 0, 0.7 * layer.Linear.Exact);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_same_seed_gives_the_same_codec(bool hiddenDecoder)
    {
        var (one, same, other) = (Train("SwiGlu", 5, 20, hiddenDecoder), Train("SwiGlu", 5, 20, hiddenDecoder), Train("SwiGlu", 6, 20, hiddenDecoder));
        Assert.Equal(one.Parameters, same.Parameters);
        Assert.Equal(one.Losses, same.Losses);
        Assert.NotEqual(one.Parameters, other.Parameters);
    }

    [Fact]
    public void The_rate_rises_over_a_fiftieth_of_the_steps_and_falls_to_nothing()
    {
        var training = new CodecTraining { Steps = 500, LearningRate = 1 };
        Assert.Equal([0.1f, 0.5f, 1f], [training.RateOf(1, 512), training.RateOf(5, 512), training.RateOf(10, 512)]);
        Assert.InRange(training.RateOf(255, 512), 0.49f, 0.51f);
        Assert.InRange(training.RateOf(500, 512), 0.001f, 0.01f);
        Assert.Equal(1f / 2048, (training with { LearningRate = null }).RateOf(10, 2048));
    }

    [Fact]
    public void What_cannot_be_trained_is_refused()
    {
        Assert.Contains("40 latents", Assert.Throws<ArgumentException>(() => new CodecTraining { Latents = 40 }.Validate(512)).Message, StringComparison.Ordinal);
        Assert.Contains("20 features", Assert.Throws<ArgumentException>(() => new CodecTraining { Features = 20 }.Validate(512)).Message, StringComparison.Ordinal);
        Assert.Contains("12 out of", Assert.Throws<ArgumentException>(() => new CodecTraining { BatchRows = 12 }.Validate(512)).Message, StringComparison.Ordinal);
        new CodecTraining().Validate(512);
    }

    private static TrainedLayer Train(string kind, long seed, int steps, bool hiddenDecoder = false)
    {
        var training = new CodecTraining
        {
            Activation = Enum.Parse<FeatureActivation>(kind), Features = 64, Latents = 32, Steps = steps, BatchRows = 64, Rows = 512, LearningRate = 3e-3, Seed = seed, HiddenDecoder = hiddenDecoder,
        };
        using var accelerator = TestAccelerators.Create(TestAccelerators.Devices[0]);
        using var trainer = new CodecTrainer(accelerator, training, Width);
        var random = new SeededRandom(1, "bent");
        var mix = Enumerable.Range(0, Width * 24).Select(_ => random.NextNormal() / 5).ToArray();
        return trainer.Train(Rows(random, mix, 512), Rows(random, mix, 128), 3);
    }

    private static LayerRows Rows(SeededRandom random, double[] mix, int count)
    {
        var (tokens, references) = (new float[count * Width], new float[count * Width]);
        for (var row = 0; row < count; row++)
        {
            var center = Point(random, 1);
            Bend(mix, [.. center.Zip(Point(random, 0.7), (a, b) => a + b)], tokens.AsSpan(row * Width, Width), random);
            Bend(mix, center, references.AsSpan(row * Width, Width), random);
        }

        return LayerRows.Of(tokens, references, Width, 1f);
    }

    private static LayerRows Folded(SeededRandom random, double[] mix, int count)
    {
        var tokens = new float[count * Width];
        for (var row = 0; row < count; row++)
        {
            var point = Enumerable.Range(0, 16).Select(_ => random.NextNormal()).ToArray();
            for (var i = 0; i < Width; i++)
                tokens[(row * Width) + i] = (float)(Product(i) + Math.Abs(Product(Width + i)));

            double Product(int of) => Enumerable.Range(0, 16).Sum(j => mix[(of * 16) + j] * point[j]);
        }

        return LayerRows.Of(tokens, new float[tokens.Length], Width, 1f);
    }

    private static double[] Point(SeededRandom random, double scale) => [.. Enumerable.Range(0, 8).Select(_ => scale * random.NextNormal())];

    private static void Bend(double[] mix, double[] point, Span<float> row, SeededRandom random)
    {
        for (var i = 0; i < Width; i++)
        {
            row[i] = (float)(0.1 * random.NextNormal());
            for (var j = 0; j < point.Length; j++)
                row[i] += (float)((mix[(i * 24) + (3 * j)] * point[j]) + (mix[(i * 24) + (3 * j) + 1] * Math.Sin(2 * point[j])) + (mix[(i * 24) + (3 * j) + 2] * Math.Abs(point[j])));
        }
    }
}
