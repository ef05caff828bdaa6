using DeltaKV.Compression.DeltaKv;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Reference;

/// <summary>The reference transformer as something to evaluate, with a codec's reconstructions in its cache or without.</summary>
internal sealed class ReferenceTarget(ReferenceTransformer model, IEvaluationTokenizer tokenizer, DeltaKvCodec? codec = null) : IEvaluationTarget
{
    private const int EndOfTurn = 5;
    private const int Room = 512;

    public IEvaluationTokenizer Tokenizer => tokenizer;

    public void EnsureFits(int tokens)
    {
    }

    public IEvaluationContext Start(ReadOnlySpan<int> context)
    {
        var cache = new ReferenceCompressedCache(model, codec, context.Length + (context.IsEmpty ? 16_384 : Room));
        cache.Append(context);
        return new Context(this, cache);
    }

    public void Dispose()
    {
    }

    private ReferenceTransformer Model => model;

    private sealed class Context(ReferenceTarget target, ReferenceCompressedCache cache) : IEvaluationContext
    {
        public EvaluationAnswer Ask(ReadOnlySpan<int> turn, int maximumTokens, bool keep)
        {
            var start = cache.Length;
            var answer = new List<int>();
            var hidden = cache.Append(turn, compress: keep);
            while (answer.Count < maximumTokens)
            {
                var logits = target.Model.Logits(hidden[^target.Model.Config.Hidden..]);
                var best = Array.IndexOf(logits, logits.Max());
                if (best == EndOfTurn)
                    break;
                answer.Add(best);
                hidden = cache.Append([best], compress: keep);
            }

            var usage = (cache.StoredBytes, cache.FullBytes);
            if (!keep)
                cache.Forget(start);
            return new EvaluationAnswer([.. answer], 0, 0, usage.StoredBytes, usage.FullBytes, cache.PeakBytes);
        }

        public IReadOnlyList<EvaluationAnswer> AskEach(IReadOnlyList<EvaluationTurn> turns) => [.. turns.Select(t => Ask(t.Tokens, t.MaximumTokens, keep: false))];

        public void Score(ReadOnlySpan<int> tokens, LogitsHandler logits)
        {
            var start = cache.Length;
            var all = target.Model.Logits(cache.Append(tokens, compress: false));
            var vocabulary = target.Model.Config.Vocabulary;
            for (var i = 0; i < tokens.Length; i++)
                logits(i, all.AsSpan(i * vocabulary, vocabulary));
            cache.Forget(start);
        }

        public void Follow(ReadOnlySpan<int> tokens, LogitsHandler logits) => Score(tokens, logits);

        public void Dispose()
        {
        }
    }
}
