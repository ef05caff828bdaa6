using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv.Training;
using DeltaKV.Tests.Compression.Codes;

namespace DeltaKV.Tests.Compression.DeltaKv.Training;

/// <summary>Half the squared error of a codec on a batch, in double.</summary>
internal static class ScalarTraining
{
    internal static double Loss(NetworkShape shape, double[] parameters, double[][] tokens, double[][] references)
    {
        var sum = 0.0;
        for (var row = 0; row < tokens.Length; row++)
        {
            var (own, other) = (Features(shape, parameters, tokens[row]), Features(shape, parameters, references[row]));
            var latents = Product(parameters, shape.Down, shape.Latents, [.. own.Zip(other, (a, b) => a - b)]);
            var terms = Activated(shape.Decoder, shape.DecoderFeatures, parameters, shape.DecoderWeight, shape.DecoderBias, latents);
            var decoded = Product(parameters, shape.Up, shape.Width, terms);
            for (var i = shape.Offset; i < shape.Count; i++)
                decoded[i - shape.Offset] += parameters[i];
            for (var i = 0; i < shape.Width; i++)
            {
                var miss = decoded[i] - (tokens[row][i] - references[row][i]);
                sum += 0.5 * miss * miss;
            }
        }

        return sum;
    }

    private static double[] Features(NetworkShape shape, double[] parameters, double[] row) =>
        Activated(shape.Activation, shape.Features, parameters, 0, shape.Bias, row);

    private static double[] Activated(FeatureActivation? activation, int features, double[] parameters, long weight, long bias, double[] x)
    {
        if (activation is null)
            return x;
        var sums = Product(parameters, weight, activation == FeatureActivation.SwiGlu ? 2 * features : features, x);
        for (var i = 0; i < sums.Length; i++)
            sums[i] += parameters[bias + i];
        return [.. Enumerable.Range(0, features).Select(i => activation == FeatureActivation.SwiGlu
            ? ScalarNetwork.Silu(sums[i]) * sums[features + i]
            : ScalarNetwork.Gelu(sums[i]))];
    }

    private static double[] Product(double[] parameters, long first, int rows, double[] x)
    {
        var result = new double[rows];
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < x.Length; i++)
                result[row] += parameters[first + ((long)row * x.Length) + i] * x[i];
        }

        return result;
    }
}
