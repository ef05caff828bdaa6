using System.CommandLine;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Compression.DeltaKv.Training;

namespace DeltaKV.Cli.Options;

/// <summary>The options that say how a codec with a hidden layer is trained.</summary>
internal sealed class TrainingArguments
{
    private readonly Option<int?> features = new("--intermediate") { Description = "Features of the hidden layer of --codec swiglu and gelu. Default: three halves of a kv row.", HelpName = "DH" };
    private readonly Option<string> decoder = new("--decoder")
    {
        Description = "linear: attention reads codes in place; mlp: the decoder of --codec swiglu and gelu has a hidden layer like the encoder's, which misses less and costs more to read. Default: linear.",
        HelpName = "KIND",
        DefaultValueFactory = _ => "linear",
    };
    private readonly Option<int> steps = new("--steps") { Description = "Steps of training per layer. Default: 2000.", HelpName = "N", DefaultValueFactory = _ => 2000 };
    private readonly Option<int> batch = new("--batch-rows") { Description = "Rows of a step. Default: 256.", HelpName = "N", DefaultValueFactory = _ => 256 };
    private readonly Option<int> rows = new("--rows") { Description = "Rows of a layer to train on; an eighth as many are measured on. Default: 16384.", HelpName = "N", DefaultValueFactory = _ => 16384 };
    private readonly Option<double?> rate = new("--learning-rate") { Description = "Largest learning rate. Default: one over the elements of a kv row.", HelpName = "X" };

    internal void AddTo(Command command)
    {
        foreach (Option option in (Option[])[features, decoder, steps, batch, rows, rate])
            command.Add(option);
    }

    /// <summary>What was asked for.</summary>
    /// <exception cref="UsageException">The plan needs what training does not know.</exception>
    internal CodecTraining Read(ParseResult parsed, CodecPlan plan, long seed)
    {
        if (plan.FullLayers.IsAutomatic)
            throw new UsageException("--full-layers auto needs what attention looked at, which training does not read. Name the layers, as 'calibrate --codec klt --full-layers auto' finds them.");
        return new CodecTraining
        {
            Activation = plan.Kind == CalibratedCodec.SwiGlu ? FeatureActivation.SwiGlu : FeatureActivation.Gelu,
            Latents = plan.Latents,
            LatentWidth = plan.LatentWidth,
            Features = parsed.GetValue(features),
            HiddenDecoder = parsed.GetValue(decoder) switch
            {
                "linear" => false,
                "mlp" => true,
                var other => throw new UsageException($"--decoder is '{other}'; linear and mlp are known."),
            },
            Steps = parsed.GetValue(steps),
            BatchRows = parsed.GetValue(batch),
            Rows = parsed.GetValue(rows),
            HeldOutRows = Math.Max(8, parsed.GetValue(rows) / 8),
            LearningRate = parsed.GetValue(rate),
            Neighbours = plan.References == ReferenceUse.None ? 0 : plan.Neighbours,
            Seed = seed,
        };
    }
}
