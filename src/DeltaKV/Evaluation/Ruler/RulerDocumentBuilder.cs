namespace DeltaKV.Evaluation.Ruler;

/// <summary>Makes the largest problem that fits a length, in a model's own chat template.</summary>
internal sealed class RulerDocumentBuilder(IEvaluationTokenizer tokenizer)
{
    private const string Acknowledgement = "I have read it. What is the question?";
    private readonly ChatFrame _frame = ChatFrame.Of(tokenizer);

    /// <summary>A document of at most <paramref name="length"/> tokens, answers included.</summary>
    /// <exception cref="EvaluationException">Not even the smallest problem fits.</exception>
    public EvaluationDocument Build(string task, Func<SeededRandom> random, int length) =>
        Build(task, (source, units) => RulerTask.Create(task, source, units), random, length);

    /// <summary>The same of a problem that is no task of its own.</summary>
    public EvaluationDocument Build(string name, Func<SeededRandom, int, RulerProblem> create, Func<SeededRandom> random, int length)
    {
        EvaluationDocument? best = null;
        RulerProblem? problem = null;
        var (low, high) = (1, int.MaxValue);
        while (low <= high)
        {
            var units = high == int.MaxValue ? low * 2 : low + (high - low) / 2;
            var candidate = create(random(), units);
            var document = Render(candidate);
            if (Longest(document) <= length)
            {
                (best, problem) = (document, candidate);
                low = units + 1;
            }
            else
            {
                high = units - 1;
            }
        }

        return best is null || problem is null ? throw new EvaluationException($"Task '{name}' does not fit {length} tokens; ask for a greater length.") : WithEvidence(best, problem);
    }

    private static int Longest(EvaluationDocument document)
    {
        var longest = document.Questions.Max(q => Math.Max(document.Context.Length + q.Turn.Length, q.Prompt.Length) + q.MaximumTokens);
        return document.Conversation
            ? document.Context.Length + document.Questions.Sum(q => q.Turn.Length + q.MaximumTokens)
            : longest;
    }

    /// <summary>Says where in the tokens the pieces stand that the questions ask about.</summary>
    private EvaluationDocument WithEvidence(EvaluationDocument document, RulerProblem problem) => document with
    {
        Questions = [.. document.Questions.Zip(problem.Questions, (question, source) =>
            source.Evidence is { } piece ? question with { Evidence = Find(problem.Context, piece) } : question)],
    };

    private Range Find(string context, string piece)
    {
        var start = context.IndexOf(piece, StringComparison.Ordinal);
        int Tokens(int characters) => _frame.Opening.Length + tokenizer.Encode(context[..characters]).Length;
        return Tokens(start)..Tokens(start + piece.Length);
    }

    private EvaluationDocument Render(RulerProblem problem)
    {
        int[] head = [.. _frame.Opening, .. tokenizer.Encode(problem.Context)];
        int[] context = [.. head, .. _frame.Answering, .. tokenizer.Encode(Acknowledgement), .. _frame.NextQuestion];
        return new EvaluationDocument(context, [.. problem.Questions.Select((q, i) =>
        {
            int[] turn = [.. tokenizer.Encode(q.Text), .. _frame.Answering];
            int[] lead = problem.Conversation && i > 0 ? _frame.NextQuestion : [];
            return new EvaluationQuestion([.. lead, .. turn], [.. head, .. turn], q.References, Exact: false, q.MaximumTokens);
        })], problem.Conversation);
    }
}
