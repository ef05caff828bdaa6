using DeltaKV.Evaluation.Notes;
using DeltaKV.Evaluation.Ruler;

namespace DeltaKV.Evaluation;

/// <summary>The documents of a plan, made once and the same for every method.</summary>
internal sealed class EvaluationDocuments(EvaluationPlan plan, IEvaluationTokenizer tokenizer)
{
    private readonly Lazy<NoteDocumentBuilder> _notes = new(() => new NoteDocumentBuilder(tokenizer, FillerText.Evaluation));
    private readonly Lazy<RulerDocumentBuilder> _ruler = new(() => new RulerDocumentBuilder(tokenizer));
    private readonly Lazy<int[]> _text = new(() => tokenizer.Encode(plan.Text ?? BuiltInText(plan)));
    private readonly Dictionary<(string, int), EvaluationDocument[]> _documents = [];

    /// <summary>Documents with <see cref="EvaluationPlan.Questions"/> questions between them.</summary>
    public IReadOnlyList<EvaluationDocument> Of(string task, int length)
    {
        if (_documents.TryGetValue((task, length), out var known))
            return known;
        var result = new List<EvaluationDocument>();
        for (var missing = plan.Questions; missing > 0; missing -= result[^1].Questions.Count)
        {
            SeededRandom Random() => new(plan.Seed, "evaluation", task, length, result.Count);
            var most = Math.Min(missing, plan.QuestionsPerDocument);
            var document = NoteFamily.Names.Contains(task)
                ? _notes.Value.Build(task, Random(), length, most)
                : _ruler.Value.Build(task, Random, length);
            result.Add(document with { Questions = [.. document.Questions.Take(most)] });
        }

        return _documents[(task, length)] = [.. result];
    }

    /// <summary>Plain text of exactly so many tokens. All lengths end alike, so that the same tokens are predicted, and none begins as another does, so that nothing of it is cached.</summary>
    /// <exception cref="EvaluationException">The plan's text is shorter.</exception>
    public int[] PlainText(int length) => _text.Value.Length >= length
        ? _text.Value[^length..]
        : throw new EvaluationException($"The text has {_text.Value.Length} tokens; perplexity at length {length} needs {length}. Pass a longer file.");

    private static string BuiltInText(EvaluationPlan plan) =>
        string.Join('\n', Enumerable.Repeat(FillerText.Evaluation, 1 + (plan.Lengths.Max() / 32_768)).SelectMany(l => l));
}
