using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Choices of training a codec whose encoder has a hidden layer: the paper's, but for far fewer steps and so a higher rate.</summary>
internal sealed record CodecTraining
{
    /// <summary>The hidden layer: SwiGLU without biases, or GELU with them.</summary>
    public FeatureActivation Activation { get; init; } = FeatureActivation.SwiGlu;

    /// <summary>Latents per token and layer, a multiple of 32.</summary>
    public int Latents { get; init; } = 128;

    /// <summary>Bits of a latent in the finished codec: 16, 8 or 4.</summary>
    public ChunkWidth LatentWidth { get; init; } = ChunkWidth.Bits4;

    /// <summary>Features of the hidden layer, a multiple of 16; null for three halves of a kv row, as published.</summary>
    public int? Features { get; init; }

    /// <summary>Whether the decoder has a hidden layer of the same kind and as many features, rather than being linear, which is cheaper to read.</summary>
    public bool HiddenDecoder { get; init; }

    /// <summary>Steps per layer.</summary>
    public int Steps { get; init; } = 2000;

    /// <summary>Rows of a step, a multiple of 8.</summary>
    public int BatchRows { get; init; } = 256;

    /// <summary>The largest learning rate, after 2 % of the steps; from there it falls to 0 in a straight line. Null: one over the elements of a row; the paper's is 2e-4.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Rows of a layer to train on.</summary>
    public int Rows { get; init; } = 16384;

    /// <summary>Rows of other documents to measure on.</summary>
    public int HeldOutRows { get; init; } = 2048;

    /// <summary>References of a token; 0: differences to the mean.</summary>
    public int Neighbours { get; init; } = 4;

    /// <summary>Starting values, rows and their order follow from it.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Sizes for a model whose kv rows are so wide.</summary>
    internal NetworkShape Shape(int width)
    {
        var features = Features ?? width * 3 / 2 / 16 * 16;
        return new NetworkShape(width, Activation, features, Latents, HiddenDecoder ? Activation : null, HiddenDecoder ? features : 0);
    }

    /// <summary>The learning rate of a step, from 1.</summary>
    internal float RateOf(int step, int width)
    {
        var warmUp = Math.Max(1, Steps / 50);
        return (float)(LargestRate(width) * (step <= warmUp ? (double)step / warmUp : (double)(Steps - step + 1) / (Steps - warmUp + 1)));
    }

    /// <summary>Refuses what cannot be trained.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    internal void Validate(int width)
    {
        Shape(width).Validate();
        if (Steps < 1 || BatchRows < 8 || BatchRows % 8 != 0 || !(LargestRate(width) > 0) || Rows < BatchRows || HeldOutRows < 1)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{Steps} steps of {BatchRows} out of {Rows} rows at a rate of {LargestRate(width):G3}, {HeldOutRows} held out: at least one step of a multiple of 8 rows, no more than there are, and a positive rate are needed."));
        }

        if (Neighbours is < 0 or > 4)
            throw new ArgumentException($"{Neighbours} references per token; 0 to 4 can be stored.");
    }

    /// <summary>For the report.</summary>
    internal string Describe(int width)
    {
        var shape = Shape(width);
        return FormattableString.Invariant($"{Activation.ToString().ToLowerInvariant()} of {shape.Features} features{(HiddenDecoder ? " in encoder and decoder" : "")}, {Latents} latents of {(int)LatentWidth} bits, {Neighbours} references, ")
            + FormattableString.Invariant($"{Steps} steps of {BatchRows} of {Rows} rows, rate {LargestRate(width):G3}, seed {Seed}");
    }

    private double LargestRate(int width) => LearningRate ?? 1.0 / width;
}
