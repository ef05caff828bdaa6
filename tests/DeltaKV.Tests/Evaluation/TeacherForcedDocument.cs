using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Evaluation;

/// <summary>A document with all its questions answered one after the other, and where the answers stand.</summary>
internal sealed class TeacherForcedDocument
{
    private readonly int[] tokens;
    private readonly List<Range> answers = [];

    internal TeacherForcedDocument(EvaluationDocument document, IEvaluationTokenizer tokenizer)
    {
        var frame = ChatFrame.Of(tokenizer);
        var all = document.Context.ToList();
        foreach (var question in document.Questions)
        {
            all.AddRange(question.Turn);
            var start = all.Count;
            all.AddRange(tokenizer.Encode(question.References[0]));
            answers.Add(start..all.Count);
            all.AddRange(frame.NextQuestion);
        }

        tokens = [.. all];
    }

    internal ReadOnlySpan<int> Tokens => tokens;

    internal int AnswerCount => answers.Count;

    /// <summary>What the model predicts for every token of the answers, given all the right ones before it.</summary>
    internal IReadOnlyList<Prediction> Predict(IEvaluationTarget target)
    {
        var wanted = answers.SelectMany(range => Enumerable.Range(range.Start.Value, range.End.Value - range.Start.Value)).ToHashSet();
        var predictions = new List<Prediction>();
        using var context = target.Start([]);
        context.Score(tokens, (index, logits) =>
        {
            if (wanted.Contains(index + 1))
                predictions.Add(Prediction.Of(index + 1, logits));
        });
        return predictions;
    }

    /// <summary>How many answers are predicted to the last token.</summary>
    internal int ExactMatches(IReadOnlyList<Prediction> predictions)
    {
        var right = predictions.Where(prediction => prediction.Token == tokens[prediction.Position]).Select(prediction => prediction.Position).ToHashSet();
        return answers.Count(range => Enumerable.Range(range.Start.Value, range.End.Value - range.Start.Value).All(right.Contains));
    }

    /// <summary>The most likely token at a position and how far its logit is ahead of the next.</summary>
    internal readonly record struct Prediction(int Position, int Token, float Margin)
    {
        internal static Prediction Of(int position, ReadOnlySpan<float> logits)
        {
            var token = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits);
            var second = float.NegativeInfinity;
            for (var i = 0; i < logits.Length; i++)
            {
                if (i != token)
                    second = Math.Max(second, logits[i]);
            }

            return new Prediction(position, token, logits[token] - second);
        }
    }
}
