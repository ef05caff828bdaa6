using DeltaKV.Engine;

namespace DeltaKV.Tests.Engine;

public sealed class StopSequenceMatcherTests
{
    [Fact]
    public void WithoutStopsTextPassesThrough()
    {
        var matcher = new StopSequenceMatcher([]);
        Assert.Equal("abc", matcher.Append("abc"));
        Assert.Equal("", matcher.Flush());
    }

    [Fact]
    public void FindsAStopAcrossPieces()
    {
        var matcher = new StopSequenceMatcher(["\n\nUser:"]);
        Assert.Equal("Hello.", matcher.Append("Hello.\n"));
        Assert.Equal("", matcher.Append("\nUs"));
        Assert.Equal("", matcher.Append("er: more"));
        Assert.Equal("\n\nUser:", matcher.Matched);
        Assert.Equal("", matcher.Flush());
    }

    [Fact]
    public void WhatDidNotBecomeAStopIsReleased()
    {
        var matcher = new StopSequenceMatcher(["END"]);
        Assert.Equal("a", matcher.Append("aEN"));
        Assert.Equal("ENx", matcher.Append("x"));
        Assert.Equal("", matcher.Append("E"));
        Assert.Equal("E", matcher.Flush());
    }

    [Fact]
    public void OverlappingBeginningsAreHeldBack()
    {
        var matcher = new StopSequenceMatcher(["aab"]);
        Assert.Equal("a", matcher.Append("aaa"));
        Assert.Equal("", matcher.Append("b"));
        Assert.Equal("aab", matcher.Matched);
    }

    [Fact]
    public void OfTwoThatEndTogetherTheLongestIsCutOff()
    {
        var matcher = new StopSequenceMatcher(["b", "ab"]);
        Assert.Equal("x", matcher.Append("xab"));
        Assert.Equal("ab", matcher.Matched);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void TheResultDoesNotDependOnThePieces(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var stops = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Text(random, random.Next(1, 5))).ToArray();
            var text = Text(random, 60);
            var matcher = new StopSequenceMatcher([.. stops]);
            var emitted = "";
            for (var position = 0; position < text.Length && matcher.Matched is null;)
            {
                var length = Math.Min(random.Next(1, 6), text.Length - position);
                emitted += matcher.Append(text.Substring(position, length));
                position += length;
            }
            emitted += matcher.Flush();

            var (expected, matched) = Naive(text, stops);
            Assert.True(expected == emitted && matched == matcher.Matched, $"seed {seed}, round {round}: '{text}' with [{string.Join('|', stops)}] gave '{emitted}', expected '{expected}'");
        }
    }

    private static (string Text, string? Matched) Naive(string text, string[] stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var matched = stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)).MaxBy(stop => stop.Length);
            if (matched is not null)
                return (text[..(end - matched.Length)], matched);
        }
        return (text, null);
    }

    private static string Text(Random random, int length) => new([.. Enumerable.Range(0, length).Select(_ => "abc"[random.Next(3)])]);
}
