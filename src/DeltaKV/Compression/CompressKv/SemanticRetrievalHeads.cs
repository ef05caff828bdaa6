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

    /// <summary>Which tokens of an answer say something of heads: those that stand in the span.</summary>
    /// <remarks>Tokens are compared by what they say, without spaces around: a word begins an answer without the space that it has inside a sentence.</remarks>
    /// <param name="answer">The generated tokens.</param>
    /// <param name="span">The tokens in which the answer stands.</param>
    /// <param name="text">What a token says.</param>
    public static bool[] Counted(ReadOnlySpan<int> answer, ReadOnlySpan<int> span, Func<int, string> text)
    {
        var said = new HashSet<string>(StringComparer.Ordinal);
        foreach (var token in span)
            said.Add(text(token).Trim());
        var result = new bool[answer.Length];
        for (var i = 0; i < answer.Length; i++)
            result[i] = text(answer[i]).Trim() is { Length: > 0 } word && said.Contains(word);
        return result;
    }

    /// <summary>What one generated token adds to a head's score: its attention to the whole span.</summary>
    /// <param name="span">Where the answer stands in the prompt.</param>
    /// <param name="probabilities">The head's attention when it chose the token.</param>
    public static double SpanMass(Range span, ReadOnlySpan<float> probabilities)
    {
        var sum = 0.0;
        foreach (var probability in probabilities[span])
            sum += probability;
        return sum;
    }

    /// <summary>The mean score of a head.</summary>
    public double Score(int layer, int head) => Runs == 0 ? 0 : _scores[layer * heads + head] / Runs;

    /// <summary>Per layer, the heads with the largest scores, best first.</summary>
    public int[][] Top(int count) => [.. Enumerable.Range(0, layers).Select(layer =>
        Enumerable.Range(0, heads).OrderByDescending(head => Score(layer, head)).Take(count).ToArray())];
}
