namespace DeltaKV.Evaluation.Ruler;

/// <summary>A long text and questions about it, in words.</summary>
internal sealed record RulerProblem(string Context, IReadOnlyList<RulerQuestion> Questions, bool Conversation = false);
