using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.CompressKv;

public sealed class CompressKvProfileTests
{
    private static readonly ModelFingerprint Model = new("Llama", 2, 2, 64, "0123456789abcdef");

    private static readonly CompressKvProfile Profile = new()
    {
        Model = Model,
        Layers = [new CompressKvLayer([3, 0], [0.5, 0.1, 0.2, 0.9], 3), new CompressKvLayer([1], [0, 1, 0, 0], 1)],
        Report = "two runs",
    };

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.File(CompressKvProfile.FileName);
        Profile.Save(path);

        var read = CompressKvProfile.Load(path);

        Assert.Equal(Profile.Model, read.Model);
        Assert.Equal(Profile.Report, read.Report);
        Assert.Equal([3, 0], read.Layers[0].Heads);
        Assert.Equal(Profile.Layers[0].Scores, read.Layers[0].Scores);
        Assert.Equal([32 + 51, 32 + 17], read.Budgets(66));
    }

    [Fact]
    public void AnotherModelIsRefusedWithBothNamed()
    {
        var other = Model with { Weights = "fedcba9876543210" };
        var error = Assert.Throws<CodecMismatchException>(() => Profile.RequireModel(other));
        Assert.Contains("0123456789abcdef", error.Message, StringComparison.Ordinal);
        Assert.Contains("fedcba9876543210", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("{}")]
    public void WhatIsNoProfileIsRefused(string content)
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("compresskv.json", content);
        Assert.Contains(path, Assert.Throws<CodecMismatchException>(() => CompressKvProfile.Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HeadsThatTheModelDoesNotHaveAreRefused()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.File("compresskv.json");
        (Profile with { Layers = [Profile.Layers[0], new CompressKvLayer([4], [0, 1, 0, 0], 1)] }).Save(path);
        Assert.Contains("Layer 1", Assert.Throws<CodecMismatchException>(() => CompressKvProfile.Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingFileSaysHowToMakeOne() =>
        Assert.Contains("deltakv calibrate", Assert.Throws<FileNotFoundException>(() => CompressKvProfile.Load("nowhere.json")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 2)]
    [InlineData(12, 4)]
    [InlineData(32, 4)]
    public void FourHeadsChooseButAtMostAThird(int queryHeads, int heads) => Assert.Equal(heads, CompressKvProfile.HeadsOf(queryHeads));

    [Fact]
    public void TheWindowStaysAndTheBestPooledTokensBeforeIt()
    {
        var attention = new float[40];
        attention[10] = 5;
        attention[20] = 4;
        // Neighbours of a peak rank with it: the pool is five wide.
        Assert.Equal([8, 9, 10, 11, 12, 18, 19, .. Enumerable.Range(32, 8)], WindowSelection.Select([attention], 15));
        Assert.Equal(Enumerable.Range(0, 40), WindowSelection.Select([attention], 40));
    }

    [Fact]
    public void HeadsAreAveraged()
    {
        var (first, second) = (new float[40], new float[40]);
        first[10] = 3;
        second[20] = 4;
        second[10] = 2;
        Assert.Equal([8, 9, 10, 11, 12, .. Enumerable.Range(32, 8)], WindowSelection.Select([first, second], 13));
    }
}
