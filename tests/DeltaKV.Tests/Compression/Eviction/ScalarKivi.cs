using DeltaKV.Compression.Kivi;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>KIVI of 32 tokens: keys per channel, values per token and 32 channels; steps and zeros are halves, steps of a size that goes with their place.</summary>
internal sealed class ScalarKivi(KiviCode code) : IScalarCode
{
    public int Tokens => 32;

    public (double[][] Keys, double[][] Values) Decode(double[][] keys, double[][] values, int slot, int[] positions)
    {
        var (k, v) = (Array.ConvertAll(keys, row => row.ToArray()), Array.ConvertAll(values, row => row.ToArray()));
        for (var channel = 0; channel < keys[0].Length; channel++)
        {
            var (low, high) = (keys.Min(row => row[channel]), keys.Max(row => row[channel]));
            for (var token = 0; token < Tokens; token++)
                k[token][channel] = Back(keys[token][channel], low, high, code.KeyBits, channel % 8 / 2);
        }

        for (var token = 0; token < Tokens; token++)
        {
            foreach (var group in Enumerable.Range(0, values[0].Length).Chunk(32))
            {
                var (low, high) = (group.Min(c => values[token][c]), group.Max(c => values[token][c]));
                foreach (var channel in group)
                    v[token][channel] = Back(values[token][channel], low, high, code.ValueBits, token / 8);
            }
        }

        return (k, v);
    }

    private static double Back(double number, double low, double high, int bits, int pair)
    {
        var levels = (1 << bits) - 1;
        var unit = 1 << (bits * pair % 8);
        var step = (float)(Half)(float)((high - low) / levels / unit) * unit;
        var zero = (float)(Half)(float)low;
        return zero + (step * Math.Clamp(MathF.Round(((float)number - zero) * (step > 0 ? 1f / step : 0f)), 0, levels));
    }
}
