using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Reference;

public sealed class ScalarKiviTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    [InlineData(2)]
    public void ErrorsStayWithinHalfAStepOfTheirGroup(int bits)
    {
        const int channels = 64, width = 128;
        var random = new SeededRandom(31, bits);
        var rows = new float[32 * width];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = (float)(random.NextNormal() * (i % width == 5 ? 40 : 1));
        var back = ScalarKivi.RoundTrip(rows, channels, bits);

        for (var token = 0; token < 32; token++)
        {
            for (var channel = 0; channel < width; channel++)
            {
                var group = channel < channels
                    ? Enumerable.Range(0, 32).Select(t => rows[t * width + channel])
                    : Enumerable.Range(0, 32).Select(i => rows[token * width + channel / 32 * 32 + i]);
                var (low, high) = (group.Min(), group.Max());
                // Half a step, plus bf16's half unit (2^-9) of the minimum and, over all levels, of the step.
                var bound = (high - low) / ((1 << bits) - 1) / 2 + (Math.Abs(low) + 2 * (high - low)) / 512;
                Assert.InRange(Math.Abs(back[token * width + channel] - rows[token * width + channel]), 0, bound);
            }
        }
    }

    [Fact]
    public void ConstantsComeBackAsBFloat16()
    {
        var rows = Enumerable.Repeat(1.5f, 32 * 128).ToArray();
        Assert.Equal(rows, ScalarKivi.RoundTrip(rows, 64, 2));
    }

    [Fact]
    public void BytesCountCodesAndScales() => Assert.Equal(32 * 256 * 2 / 2 + 256 * 4 + 32 * 8 * 4, ScalarKivi.BytesPerGroup(256, 4));
}
