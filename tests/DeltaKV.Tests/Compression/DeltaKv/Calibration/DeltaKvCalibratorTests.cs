using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Reference;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class DeltaKvCalibratorTests
{
    private static readonly CalibrationCorpus Corpus = new() { Families = ["attr", "copy"], DocumentsPerFamily = 2, Lengths = [512], Questions = 2 };
    private static readonly CodedKvOptions Options = new() { Recent = 16, ReferenceBits = 8 };

    /// <summary>Whether it had saved every document, or would not have saved any for hours.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void InterruptedAnywhereItMakesTheSameFileToTheBit(int hours)
    {
        using var directory = new TemporaryDirectory();
        var model = new RandomCalibrationModel();
        var expected = Codec(directory.File("whole"), NewCalibrator(model), null);
        for (var stop = 1; stop < 4; stop++)
        {
            var side = directory.File("side");
            using var cancellation = new CancellationTokenSource();
            var interrupted = new StopAfter(stop, cancellation);
            Assert.Throws<OperationCanceledException>(() => NewCalibrator(model).Read(Corpus, new CalibrationCheckpoint(side, TimeSpan.FromHours(hours)), interrupted, cancellation.Token));
            Assert.True(File.Exists(side));
            model.Documents = 0;
            Assert.Equal(expected, Codec(directory.File("resumed"), NewCalibrator(model), side));
            Assert.Equal(4 - stop, model.Documents);
            File.Delete(side);
        }
    }

    [Fact]
    public void StatisticsOfAnotherReadingAreNotTaken()
    {
        using var directory = new TemporaryDirectory();
        var model = new RandomCalibrationModel();
        NewCalibrator(model).Read(Corpus, Checkpoint(directory.File("side")));
        model.Documents = 0;
        NewCalibrator(model).Read(Corpus with { Seed = 2 }, Checkpoint(directory.File("side")));
        Assert.Equal(4, model.Documents);
    }

    [Fact]
    public void ATargetIsReachedAndNotExceeded()
    {
        var calibrator = NewCalibrator(new RandomCalibrationModel());
        calibrator.Read(Corpus);
        foreach (var share in (double[])[0.5, 0.2, 0.1, 0.05])
        {
            foreach (var references in Enum.GetValues<ReferenceUse>())
            {
                if (references == ReferenceUse.All && share < 0.2)
                    continue;
                var codec = calibrator.Solve(new CodecPlan { Share = share, At = 2048, References = references, Neighbours = 2, Options = Options });
                // Two layers of chunks of 16 bytes are 3 % of 1,536 bytes; 8 bits are the most that is spent on a dimension.
                Assert.InRange(CodecSize.Usage(codec, 2047).Ratio, Math.Min(share, 0.34) - 0.035, share + 1e-3);
            }
        }
    }

    [Fact]
    public void ATargetBelowTheWindowsIsRefused()
    {
        var calibrator = NewCalibrator(new RandomCalibrationModel());
        calibrator.Read(Corpus);
        var error = Assert.Throws<ArgumentException>(() => calibrator.Solve(new CodecPlan { Share = 0.03, At = 1024, Options = Options }));
        Assert.Contains("window", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LayersThatAreNamedStayFullOrObserve()
    {
        var calibrator = NewCalibrator(new RandomCalibrationModel());
        calibrator.Read(Corpus);
        var codec = calibrator.Solve(new CodecPlan
        {
            Share = null, Bits = 256, Options = Options, FullLayers = LayerSet.Parse("1", "full"), Observers = LayerSet.Parse("1", "observers"),
        });
        Assert.Equal([LayerTreatment.Recomputed, LayerTreatment.Raw, LayerTreatment.Coded], codec.Layers.Select(layer => layer.Treatment));
        Assert.Equal([false, true, false], codec.Layers.Select(layer => layer.Observes));
        Assert.Equal(32 + 4 * 64, codec.BytesPerToken);
        Assert.Contains("families left out: json, var, multi, walk", codec.Report, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFirstLayerStaysFullOnlyWhereItIsNamed()
    {
        var calibrator = NewCalibrator(new RandomCalibrationModel());
        calibrator.Read(Corpus);
        var plan = new CodecPlan { Share = null, Bits = 128, Options = Options, FullLayers = LayerSet.Parse("0+2", "full"), Full = LayerTreatment.Kivi4 };
        Assert.Throws<ArgumentException>(() => calibrator.Solve(plan));
        var codec = calibrator.Solve(plan with { Options = Options with { Sinks = 32 } });
        Assert.Equal([LayerTreatment.Kivi4, LayerTreatment.Coded, LayerTreatment.Kivi4], codec.Layers.Select(layer => layer.Treatment));
        Assert.Equal(LayerTreatment.Recomputed, calibrator.Solve(plan with { FullLayers = LayerSet.Parse("auto:1", "full"), Full = LayerTreatment.Raw }).Layers[0].Treatment);
    }

    [Fact]
    public void WhatALayerWithoutHistoryDoesNotTakeGoesToTheOthers()
    {
        var calibrator = NewCalibrator(new RandomCalibrationModel());
        calibrator.Read(Corpus);
        var plan = new CodecPlan { Share = 0.08, At = 2048, Options = Options, Observers = LayerSet.None };
        var (all, some) = (calibrator.Solve(plan), calibrator.Solve(plan with { Heads = HeadChoice.Parse("c/w/c") }));
        Assert.Equal("c/c/c", HeadTable.Of(all).ToString());
        Assert.Equal("c/w/c", HeadTable.Of(some).ToString());
        Assert.Equal(0, RecordLayout.Of(some.Layers[1].Codec!).Bytes);
        Assert.True(RecordLayout.Of(some.Layers[2].Codec!).Bytes > RecordLayout.Of(all.Layers[2].Codec!).Bytes);
        Assert.InRange(CodecSize.Usage(some, 2047).Ratio, 0.07, 0.08);
    }

    [Fact]
    public void RawHeadsAreCountedInTheTarget()
    {
        var calibrator = NewCalibrator(new RandomCalibrationModel());
        calibrator.Read(Corpus);
        var codec = calibrator.Solve(new CodecPlan { Share = 0.45, At = 2048, Options = Options, Observers = LayerSet.None, Heads = HeadChoice.Parse("c/r/c") });
        Assert.Equal("c/r/c", HeadTable.Of(codec).ToString());
        // The transform of a layer whose heads are all raw has nothing to code.
        Assert.Equal(2 * 2 * 64, RecordLayout.Of(codec.Layers[1].Codec!).Bytes);
        Assert.InRange(CodecSize.Usage(codec, 2047).Ratio, 0.36, 0.45);
    }

    [Fact]
    public void IntegersAreCalibratedForTheirTable()
    {
        var calibrator = NewCalibrator(new RandomCalibrationModel());
        calibrator.Read(Corpus);
        var plan = new CodecPlan { Kind = CalibratedCodec.Int4, Share = null, Options = Options, Observers = LayerSet.None };
        Assert.Equal("c/4/4", HeadTable.Of(calibrator.Solve(plan)).ToString());
        var some = calibrator.Solve(plan with { Heads = HeadChoice.Parse("table:99") });
        Assert.Equal(1, HeadTable.Of(some).ToString().Count(letter => letter == 'w'));
        Assert.Contains("heads chosen for a loss of 99 %", some.Report, StringComparison.Ordinal);
    }

    private static DeltaKvCalibrator NewCalibrator(ICalibrationModel model) => new(model, Options, neighbours: 2);

    private static CalibrationCheckpoint Checkpoint(string path) => new(path, TimeSpan.Zero);

    private static byte[] Codec(string path, DeltaKvCalibrator calibrator, string? side)
    {
        calibrator.Read(Corpus, side is null ? null : Checkpoint(side));
        CodecFile.Save(calibrator.Solve(new CodecPlan { Share = 0.3, At = 2048, References = ReferenceUse.Auto, Neighbours = 2, Options = Options }), path);
        return File.ReadAllBytes(path);
    }

    private sealed class StopAfter(int documents, CancellationTokenSource cancellation) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value)
        {
            if (value.Completed == documents)
                cancellation.Cancel();
        }
    }
}
