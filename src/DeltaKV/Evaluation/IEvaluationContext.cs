namespace DeltaKV.Evaluation;

/// <summary>A prefilled context to continue from, any number of times.</summary>
internal interface IEvaluationContext : IDisposable
{
    /// <summary>Appends a turn and answers greedily, up to an end-of-turn token (left out) or so many tokens.</summary>
    /// <param name="turn">Tokens to append.</param>
    /// <param name="maximumTokens">The longest answer.</param>
    /// <param name="keep">Whether the turn and its answer stay; otherwise the context is afterwards what it was before.</param>
    EvaluationAnswer Ask(ReadOnlySpan<int> turn, int maximumTokens, bool keep);

    /// <summary>Asks questions that know nothing of each other: each continues from the context as it is now, which stays as it is.</summary>
    IReadOnlyList<EvaluationAnswer> AskEach(IReadOnlyList<EvaluationTurn> turns);

    /// <summary>Appends known tokens and reports the logits after each: those at index i predict token i + 1. Keeps nothing.</summary>
    void Score(ReadOnlySpan<int> tokens, LogitsHandler logits);

    /// <summary>The same in steps of one token, as if the model had chosen them: a method that reads less while it answers shows it here.</summary>
    void Follow(ReadOnlySpan<int> tokens, LogitsHandler logits);
}
