using System.Numerics.Tensors;

namespace DeltaKV.Evaluation;

/// <summary>Perplexity of plain text behind a long context, and how far the predictions are from the full cache's.</summary>
internal static class TextDivergence
{
    /// <summary>Log-probabilities <c>[scored, vocabulary]</c> of the last <paramref name="scored"/> tokens and their perplexity.</summary>
    public static (float[][] LogProbabilities, double Perplexity) Measure(IEvaluationTarget target, ReadOnlySpan<int> text, int scored)
    {
        var tail = text[^scored..].ToArray();
        var result = new float[scored - 1][];
        var sum = 0.0;
        using var context = target.Start(text[..^scored]);
        context.Follow(tail, (index, logits) =>
        {
            if (index == scored - 1)
                return;
            result[index] = LogSoftMax(logits);
            sum -= result[index][tail[index + 1]];
        });
        return (result, Math.Exp(sum / (scored - 1)));
    }

    /// <summary>Mean over tokens of <c>KL(full || method) = sum p_full (log p_full - log p_method)</c>, in nats.</summary>
    public static double MeanDivergence(float[][] full, float[][] method)
    {
        var sum = 0.0;
        for (var i = 0; i < full.Length; i++)
        {
            for (var j = 0; j < full[i].Length; j++)
                sum += Math.Exp(full[i][j]) * (full[i][j] - (double)method[i][j]);
        }

        return sum / full.Length;
    }

    private static float[] LogSoftMax(ReadOnlySpan<float> logits)
    {
        var maximum = TensorPrimitives.Max(logits);
        var sum = 0.0;
        foreach (var logit in logits)
            sum += Math.Exp(logit - maximum);
        var result = new float[logits.Length];
        TensorPrimitives.Subtract(logits, maximum + (float)Math.Log(sum), result);
        return result;
    }
}
