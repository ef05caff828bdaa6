namespace DeltaKV.Compression.CompressKv;

/// <summary>Finds, per layer, the query heads whose attention returns to where the answer stands.</summary>
/// <remarks>
/// <c>SRS(h) = sum over generated tokens t with y_t in the answer span A of sum over j in A of attention_h(t, j)</c>: the mass on the whole span,
/// unlike classic retrieval heads, which need the largest weight on the copied token. Averaged over runs whose answer was right enough.
/// Source: CompressKV (arXiv 2508.02401).
/// </remarks>
internal sealed class SemanticRetrievalHeads(int layers, int heads)
{
    /// <summary>ROUGE-1 recall above which a run counts.</summary>
    public const double SmallestRecall = 0.5;

    private readonly double[] _scores = new double[layers * heads];

    /// <summary>Runs that counted.</summary>
    public int Runs { get; private set; }

    /// <summary>Adds one run, unless its answer missed the needle.</summary>
    /// <param name="answer">What the model said.</param>
    /// <param name="needle">What it should have said.</param>
    /// <param name="spanMass"><c>[layers, heads]</c>: see <see cref="SpanMass"/>, summed over generated tokens.</param>
    /// <returns>Whether the run counted.</returns>
    public bool Add(string answer, string needle, ReadOnlySpan<double> spanMass)
    {
        if (spanMass.Length != _scores.Length)
            throw new ArgumentException($"{layers} x {heads} scores are needed; got {spanMass.Length}.", nameof(spanMass));
        if (Rouge.Recall(answer, needle) <= SmallestRecall)
            return false;
        for (var i = 0; i < _scores.Length; i++)
            _scores[i] += spanMass[i];
        Runs++;
        return true;
    }

    /// <summary>What one generated token adds to a head's score: its attention to the span, if the token is one of the span's.</summary>
    /// <param name="token">The generated token.</param>
    /// <param name="context">The prompt's tokens.</param>
    /// <param name="span">Where the answer stands in them.</param>
    /// <param name="probabilities">The head's attention when it generated the token.</param>
    public static double SpanMass(int token, ReadOnlySpan<int> context, Range span, ReadOnlySpan<float> probabilities)
    {
        if (!context[span].Contains(token))
            return 0;
        var sum = 0.0;
        foreach (var probability in probabilities[..context.Length][span])
            sum += probability;
        return sum;
    }

    /// <summary>The mean score of a head.</summary>
    public double Score(int layer, int head) => Runs == 0 ? 0 : _scores[layer * heads + head] / Runs;

    /// <summary>Per layer, the heads with the largest scores, best first.</summary>
    public int[][] Top(int count) => [.. Enumerable.Range(0, layers).Select(layer =>
        Enumerable.Range(0, heads).OrderByDescending(head => Score(layer, head)).Take(count).ToArray())];
}
