using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Compression.DeltaKv.Training;
using DeltaKV.Gpu;
using DeltaKV.Tests.Compression.Codes;

namespace DeltaKV.Tests.Compression.DeltaKv.Training;

public sealed class TrainedCodecTests
{
    private static readonly CodedKvOptions Options = new() { Recent = 32, ReferenceStride = 5 };

    private static CalibrationCorpus Corpus => new() { Families = [], Lengths = [100], Texts = [new string([.. Enumerable.Range(0, 400).Select(i => (char)('a' + (i * i % 23)))])] };

    [Theory]
    [InlineData("SwiGlu", 4, false)]
    [InlineData("Gelu", 0, false)]
    [InlineData("SwiGlu", 0, true)]
    [InlineData("Gelu", 4, true)]
    public void What_is_stored_reconstructs_as_well_as_what_was_trained(string kind, int neighbours, bool hiddenDecoder)
    {
        var training = Training(kind, neighbours) with { HiddenDecoder = hiddenDecoder };
        var data = TrainingData.Read(new BentModel(), Corpus, Options, training);
        using var accelerator = TestAccelerators.Create(TestAccelerators.Devices[0]);
        var steps = new List<int>();
        var trained = TrainedCodec.Train(data, training, [1], LayerTreatment.Raw, [1], accelerator, new Progress(p => steps.Add(p.Completed)));

        Assert.Equal([LayerTreatment.Recomputed, LayerTreatment.Raw, LayerTreatment.Coded], trained.Codec.Layers.Select(layer => layer.Treatment));
        Assert.True(trained.Codec.Layers[1].Observes);
        Assert.Equal([50, 100, 120], steps);
        Assert.Contains("pca", trained.Errors, StringComparison.Ordinal);
        Assert.Contains("families left out: attr", trained.Codec.Report, StringComparison.Ordinal);
        var codec = trained.Codec.Layers[2].Codec!;
        Assert.Equal((neighbours, CodeScales.PerChunk, 32), (codec.Neighbours, codec.Scales, codec.Groups[0].Dimensions));

        // The whole codec in double over the held-out rows, in their own units.
        var rows = data.Layer(2).HeldOut;
        var (tokens, references) = (Rows(rows, rows.Tokens), Rows(rows, rows.References));
        if (neighbours == 0)
            Assert.All(references, reference => Assert.All(reference.Zip(codec.Mean), pair => Assert.Equal(pair.First, pair.Second, 2e-3 * rows.Scale)));
        var coder = new ReferenceCoder(codec);
        var (missed, square) = (0.0, 0.0);
        for (var row = 0; row < tokens.Length / 8 * 8; row++)
        {
            var latents = coder.Project(tokens[row], references[row]);
            var terms = coder.Terms(0, latents);
            for (var i = 0; i < BentModel.Width; i++)
            {
                var decoded = references[row][i] + (codec.Offset?[i] ?? 0);
                for (var term = 0; term < terms.Length; term++)
                    decoded += terms[term] * codec.Groups[0].Up[(term * BentModel.Width) + i];
                missed += (decoded - tokens[row][i]) * (decoded - tokens[row][i]);
                square += tokens[row][i] * tokens[row][i];
            }
        }

        var line = trained.Errors.Split(Environment.NewLine).Single(text => text.TrimStart().StartsWith("2 ", StringComparison.Ordinal));
        var reported = double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], System.Globalization.CultureInfo.InvariantCulture);
        // Rows of fewer than eight at the end are not measured, and rounding differs.
        Assert.Equal(100 * missed / square, reported, 0.03 * reported);
    }

    [Fact]
    public void Rows_are_measured_on_documents_that_are_not_trained_on()
    {
        var training = Training("Gelu", 4) with { Rows = 4096, HeldOutRows = 4096 };
        var data = TrainingData.Read(new BentModel(), Corpus, Options, training);
        var (rows, heldOut) = data.Layer(2);
        // Four texts of 100 tokens, the last held out; sinks and references are not coded against others.
        var coded = Enumerable.Range(16, 84).Count(token => (token - 16) % 5 != 0);
        Assert.Equal((3 * coded, coded), (rows.Count, heldOut.Count));
        Assert.Equal(rows.Scale, heldOut.Scale);
        var again = TrainingData.Read(new BentModel(), Corpus, Options, training).Layer(2);
        Assert.Equal(rows.Tokens, again.Training.Tokens);
    }

    [Fact]
    public void Too_little_text_is_refused_saying_how_much()
    {
        var training = Training("Gelu", 4) with { BatchRows = 512, Rows = 512 };
        var error = Assert.Throws<ArgumentException>(() => TrainingData.Read(new BentModel(), Corpus, Options, training));
        Assert.Contains("a step takes 512", error.Message, StringComparison.Ordinal);
    }

    private static CodecTraining Training(string kind, int neighbours) => new()
    {
        Activation = Enum.Parse<FeatureActivation>(kind), Features = 48, Latents = 32, Steps = 120, BatchRows = 64, Rows = 160, HeldOutRows = 64, LearningRate = 3e-3,
        Neighbours = neighbours,
    };

    private static double[][] Rows(LayerRows rows, uint[] pairs) =>
        [.. pairs.SelectMany(pair => new[] { (double)new Half2(pair).Low * rows.Scale, (double)new Half2(pair).High * rows.Scale }).Chunk(rows.Width)];

    private sealed class Progress(Action<DeltaKV.Evaluation.EvaluationProgress> report) : IProgress<DeltaKV.Evaluation.EvaluationProgress>
    {
        public void Report(DeltaKV.Evaluation.EvaluationProgress value) => report(value);
    }
}
