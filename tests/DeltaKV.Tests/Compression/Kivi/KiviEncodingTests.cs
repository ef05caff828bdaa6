using DeltaKV.Compression.Kivi;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Kivi;

[Collection(KernelCollection.Name)]
public sealed class KiviEncodingTests(KernelFixture device)
{
    [Theory]
    [InlineData(64, 2, 8, 8, 0, 4, false)]
    [InlineData(64, 1, 4, 2, 0, 4, true)]
    [InlineData(128, 1, 2, 8, 0, 4, true)]
    [InlineData(64, 1, 4, 4, 32, 4, false)]
    [InlineData(64, 3, 2, 2, 0, 4, false)]
    [InlineData(128, 1, 8, 2, 0, 4, false)]
    [InlineData(128, 2, 4, 4, 0, 6, false)]
    [InlineData(128, 1, 2, 4, 32, 4, false)]
    public void Stores_what_the_definition_says_to_the_last_bit(int headDim, int keyHeads, int keyBits, int valueBits, int sinks, int rawShift, bool isRotated)
    {
        using var fixture = new KiviFixture(device, new AttentionShape(keyHeads, keyHeads, headDim), new KiviCode(keyBits, valueBits, isRotated), [100, 20, 130], sinks, 3, rawShift);
        fixture.Compress();
        var pool = fixture.Units.GetAsArray1D();
        var largest = new int[2];
        for (var s = 0; s < fixture.Lengths.Length; s++)
        {
            for (var slot = sinks; slot < fixture.CodedEnd(fixture.Lengths[s]); slot++)
            {
                for (var head = 0; head < keyHeads; head++)
                {
                    for (var i = 0; i < 2 * headDim; i++)
                    {
                        var (isValue, channel) = (i >= headDim, i % headDim);
                        var expected = fixture.Expected(isValue, s, slot, head, channel);
                        var stored = fixture.Stored(pool, isValue, s, slot, head, channel);
                        Assert.True(expected == stored, $"{(isValue ? "value" : "key")} {s}/{slot}/{head}/{channel}: stored {stored}, expected {expected}.");
                        largest[i / headDim] = Math.Max(largest[i / headDim], stored.Integer);

                        // Half a step, and what the ends lose to the rounding of step and zero to halves.
                        var raw = fixture.Row(isValue, s, slot, head)[channel];
                        var tolerance = (0.5 * stored.Step) + ((Math.Abs((double)stored.Zero) + (stored.Step * (1 << 8))) / 1024) + 1e-5;
                        Assert.InRange(Math.Abs(raw - (((double)stored.Step * stored.Integer) + stored.Zero)), 0, tolerance);
                    }
                }
            }
        }

        Assert.Equal([(1 << keyBits) - 1, (1 << valueBits) - 1], largest);
    }

    [Theory]
    [InlineData(3, 4)]
    [InlineData(4, 16)]
    public void Refuses_other_bits(int keyBits, int valueBits) =>
        Assert.Contains("8, 4 or 2", Assert.Throws<ArgumentException>(() => new KiviCode(keyBits, valueBits)).Message, StringComparison.Ordinal);
}
