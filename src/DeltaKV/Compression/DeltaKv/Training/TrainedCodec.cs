using System.Globalization;
using System.Text;
using DeltaKV.Compression.Codes;
using DeltaKV.Evaluation;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>A codec whose encoders have a hidden layer, trained layer by layer, and the report on it.</summary>
/// <param name="Codec">Ready to be saved.</param>
/// <param name="Errors">A table for people: what trained codecs miss on held-out rows, beside the best linear ones.</param>
internal sealed record TrainedCodec(DeltaKvCodec Codec, string Errors)
{
    /// <summary>Trains every layer but the first, which is a function of the token, and those that stay full.</summary>
    /// <param name="data">Rows.</param>
    /// <param name="training">Choices.</param>
    /// <param name="full">Layers that are not coded.</param>
    /// <param name="treatment">How those are kept.</param>
    /// <param name="observers">Layers that choose tokens for those after them.</param>
    /// <param name="accelerator">Where to train.</param>
    /// <param name="progress">Hears of steps.</param>
    /// <param name="cancellation">Stops between steps.</param>
    internal static TrainedCodec Train(
        TrainingData data,
        CodecTraining training,
        IReadOnlyCollection<int> full,
        LayerTreatment treatment,
        IReadOnlyCollection<int> observers,
        Accelerator accelerator,
        IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var coded = Enumerable.Range(1, data.Model.Layers - 1).Where(layer => !full.Contains(layer)).ToArray();
        var trained = new SortedDictionary<int, TrainedLayer>();
        using var trainer = new CodecTrainer(accelerator, training, data.Width);
        foreach (var layer in coded)
        {
            var before = trained.Count * training.Steps;
            var (rows, heldOut) = data.Layer(layer);
            trained[layer] = trainer.Train(
                rows, heldOut, layer,
                step => progress?.Report(new EvaluationProgress(before + step, coded.Length * training.Steps, string.Create(CultureInfo.InvariantCulture, $"layer {layer}"))),
                cancellation);
        }

        var shape = training.Shape(data.Width);
        return new TrainedCodec(
            new DeltaKvCodec
            {
                Model = data.Model,
                Options = data.Options,
                Layers = [.. Enumerable.Range(0, data.Model.Layers).Select(layer =>
                    trained.TryGetValue(layer, out var one)
                        ? new CodecLayer(LayerTreatment.Coded, LayerCodec(one, shape, training, data, layer), observers.Contains(layer))
                        : new CodecLayer(full.Contains(layer) ? treatment : LayerTreatment.Recomputed, null, observers.Contains(layer)))],
                Report = $"{training.Describe(data.Width)}; {Summary(trained.Values, training)}; {data.Provenance}",
            },
            Table(trained, training));
    }

    /// <summary>One layer's networks as the cache stores tokens with them; units are folded into the matrices.</summary>
    private static LinearCodec LayerCodec(TrainedLayer layer, NetworkShape shape, CodecTraining training, TrainingData data, int number)
    {
        var values = layer.Parameters;
        var hidden = values[..(int)shape.Bias];
        for (var i = 0; i < hidden.Length; i++)
            hidden[i] = (float)(System.Half)(hidden[i] / layer.Scale);
        var down = Array.ConvertAll(values[(int)shape.Down..(int)shape.DecoderWeight], value => (float)(System.Half)value);
        var up = new float[shape.Terms * shape.Width];
        for (var i = 0; i < shape.Width; i++)
        {
            for (var term = 0; term < shape.Terms; term++)
                up[(term * shape.Width) + i] = (float)(System.Half)(values[(int)shape.Up + (i * shape.Terms) + term] * layer.Scale);
        }

        var chunks = Enumerable.Repeat(training.LatentWidth, shape.Latents / CodeGroup.DimensionsOf(training.LatentWidth));
        var codec = new LinearCodec
        {
            KeyHeads = data.Model.KvHeads,
            HeadDim = data.Model.HeadDim,
            Neighbours = training.Neighbours,
            Scales = CodeScales.PerChunk,
            Offset = shape.Count > shape.Offset ? Array.ConvertAll(values[(int)shape.Offset..], value => value * layer.Scale) : null,
            Mean = training.Neighbours > 0 ? new float[shape.Width] : data.Mean(number),
            Groups =
            [
                new CodeGroup(0, shape.Width, [.. chunks], down, up)
                {
                    Features = new KvFeatures(training.Activation, shape.Features, hidden, values[(int)shape.Bias..(int)shape.Down]),
                    Decoder = shape.Decoder is not { } decoder ? null : new KvFeatures(
                        decoder, shape.DecoderFeatures, Array.ConvertAll(values[(int)shape.DecoderWeight..(int)shape.DecoderBias], value => (float)(System.Half)value), values[(int)shape.DecoderBias..(int)shape.Up]),
                },
            ],
        };
        codec.Validate();
        return codec;
    }

    private static string Summary(IReadOnlyCollection<TrainedLayer> layers, CodecTraining training) => string.Create(
        CultureInfo.InvariantCulture,
        $"held-out error in % of the rows' mean square, mean over layers: pca {Percent(layers.Average(l => l.Linear.Exact))} (4 bits {Percent(layers.Average(l => l.Linear.Quantised))}), {Name(training)} {Percent(layers.Average(l => l.Trained.Exact))} (4 bits {Percent(layers.Average(l => l.Trained.Quantised))})");

    private static string Table(IReadOnlyDictionary<int, TrainedLayer> layers, CodecTraining training)
    {
        var name = Name(training);
        var table = new StringBuilder();
        table.AppendLine(CultureInfo.InvariantCulture, $"Held-out reconstruction error at {training.Latents} latents, in % of the rows' mean square; nothing: no latents, references alone.");
        table.AppendLine(CultureInfo.InvariantCulture, $"{"layer",5} {"nothing",9} {"pca",9} {name,14} {"pca int4",9} {name + " int4",19}");
        foreach (var (number, layer) in layers)
            Row(number.ToString(CultureInfo.InvariantCulture), layer.Residual, layer.Linear, layer.Trained);
        if (layers.Count > 0)
            Row("mean", layers.Values.Average(l => l.Residual), Mean(l => l.Linear), Mean(l => l.Trained));
        return table.ToString();

        ReconstructionError Mean(Func<TrainedLayer, ReconstructionError> of) => new(layers.Values.Average(l => of(l).Exact), layers.Values.Average(l => of(l).Quantised));

        void Row(string label, double residual, ReconstructionError linear, ReconstructionError trained) => table.AppendLine(
            CultureInfo.InvariantCulture,
            $"{label,5} {Percent(residual),9} {Percent(linear.Exact),9} {Percent(trained.Exact),14} {Percent(linear.Quantised),9} {Percent(trained.Quantised),19}");
    }

    private static string Name(CodecTraining training) => training.Activation.ToString().ToLowerInvariant() + (training.HiddenDecoder ? "+decoder" : "");

    private static string Percent(double share) => (100 * share).ToString("0.000", CultureInfo.InvariantCulture);
}
