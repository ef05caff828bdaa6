using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Reference;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.DeltaKv;

/// <summary>Calibration, codec file, compression and evaluation together, on the reference transformer with needle-16m.</summary>
public sealed class NeedleCodecTests(NeedleCodecTests.Calibrated calibrated) : IClassFixture<NeedleCodecTests.Calibrated>
{
    [Fact]
    public void ACodecOfATwentiethOfTheBytesAnswersLikeTheFullCache()
    {
        var codec = calibrated.Calibrator.Solve(new CodecPlan { Share = null, Bits = 330, Observers = LayerSet.None, Options = new CodedKvOptions { Recent = 32 } });
        var (full, coded) = Evaluate(codec);
        Assert.EndsWith("families left out: json, var, multi, walk", codec.Report, StringComparison.Ordinal);
        Assert.InRange(coded.Accuracy, full.Accuracy - 0.1, 1);
        // The codes are 3.5 %; sinks, window and the question make up the rest of so short a document.
        Assert.InRange(coded.Ratio, 0.035, 0.15);
        Assert.InRange(coded.KlMean!.Value, 0, 0.5);
        Assert.InRange(coded.Perplexity!.Value, full.Perplexity!.Value * 0.8, full.Perplexity.Value * 1.5);
    }

    [Fact]
    public void SixteenBitsOfEverythingChangeNothing()
    {
        var layer = new CodecLayer(LayerTreatment.Coded, IdentityCodec.Create(4, 64));
        var (full, coded) = Evaluate(Rotated() with { Layers = [.. Enumerable.Repeat(layer, 8)] });
        Assert.Equal(full.Accuracy, coded.Accuracy);
        Assert.InRange(coded.KlMean!.Value, 0, 1e-3);
    }

    [Fact]
    public void RotatedIntegersNeedNoCalibration()
    {
        var (full, coded) = Evaluate(Rotated());
        Assert.InRange(coded.Accuracy, full.Accuracy - 0.1, 1);
    }

    [Fact]
    public void FullLayersObserveRightBeforeTheLayersThatRetrieve()
    {
        var layers = calibrated.Calibrator.FullLayers(4);
        Assert.Equal(4, layers.Length);
        Assert.Equal(0, layers[0]);
    }

    private DeltaKvCodec Rotated() => calibrated.Calibrator.Solve(new CodecPlan { Kind = CalibratedCodec.Int4, Observers = LayerSet.None });

    private (EvaluationRecord Full, EvaluationRecord Coded) Evaluate(DeltaKvCodec codec)
    {
        var plan = new EvaluationPlan
        {
            Methods = ["full", "coded"], Tasks = ["attr"], Lengths = [768], Questions = 5, TextTokens = 64, Seed = 6,
        };
        var records = new EvaluationRunner(plan, new EvaluationJournal(), calibrated.Model.Tokenizer, method => new ReferenceTarget(
            calibrated.Transformer, calibrated.Model.Tokenizer, method == "full" ? null : codec)).Run();
        return (records[0], records[1]);
    }

    /// <summary>One small calibration for all tests.</summary>
    public sealed class Calibrated
    {
        public Calibrated()
        {
            Model = new ReferenceCalibrationModel(TestModels.Needle, Transformer);
            Calibrator = new DeltaKvCalibrator(Model, new CodedKvOptions { Recent = 32 });
            Calibrator.Read(new CalibrationCorpus { Families = ["attr", "copy"], DocumentsPerFamily = 1, Lengths = [768] });
        }

        internal ReferenceTransformer Transformer { get; } = ReferenceTransformer.Load(TestModels.Needle);

        internal ReferenceCalibrationModel Model { get; }

        internal DeltaKvCalibrator Calibrator { get; }
    }
}
