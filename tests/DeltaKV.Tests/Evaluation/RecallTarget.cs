using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Evaluation;

/// <summary>A pretended model that remembers the questions of a plan's documents, except a share it forgets.</summary>
internal sealed class RecallTarget(
    string method, WordTokenizer tokenizer, IReadOnlyDictionary<string, string> answers, double forgets) : IEvaluationTarget
{
    private const int Vocabulary = 32 * 1024;


    public int Starts { get; private set; }

    public IEvaluationTokenizer Tokenizer => tokenizer;

    public void EnsureFits(int tokens)
    {
        if (tokens > 100_000)
            throw new EvaluationException($"{tokens} tokens do not fit.");
    }

    public IEvaluationContext Start(ReadOnlySpan<int> context)
    {
        Starts++;
        return new Context(this, context.Length);
    }

    public void Dispose()
    {
    }

    private sealed class Context(RecallTarget target, int length) : IEvaluationContext
    {
        public EvaluationAnswer Ask(ReadOnlySpan<int> turn, int maximumTokens, bool keep)
        {
            var text = target.Words.Decode(turn);
            var question = target.Answers.Keys.SingleOrDefault(q => text.EndsWith(q, StringComparison.Ordinal));
            var known = question is not null && new SeededRandom(9, question).NextDouble() >= target.Forgets;
            var bytes = (length + turn.Length) * 64L;
            return new EvaluationAnswer(
                target.Words.Encode(known ? target.Answers[question!] : "nothing"), 5, 100, target.Method == "full" ? bytes : bytes / 4, bytes, bytes);
        }

        public IReadOnlyList<EvaluationAnswer> AskEach(IReadOnlyList<EvaluationTurn> turns) => [.. turns.Select(t => Ask(t.Tokens, t.MaximumTokens, keep: false))];

        public void Score(ReadOnlySpan<int> tokens, LogitsHandler logits)
        {
            var row = new float[Vocabulary];
            for (var i = 0; i < tokens.Length; i++)
            {
                row[0] = target.Method == "full" ? 1 : 2;
                logits(i, row);
            }
        }

        public void Follow(ReadOnlySpan<int> tokens, LogitsHandler logits) => Score(tokens, logits);

        public void Dispose()
        {
        }

    }

    private WordTokenizer Words => tokenizer;

    private IReadOnlyDictionary<string, string> Answers => answers;

    private double Forgets => forgets;

    private string Method => method;
}
