namespace DeltaKV.Evaluation;

/// <summary>What one method did with one document, or (task <see cref="TextTask"/>) with plain text: a line of the journal.</summary>
internal sealed record EvaluationJournalEntry
{
    /// <summary>The name under which perplexity and divergence are filed.</summary>
    public const string TextTask = "text";

    public required string Method { get; init; }

    public required string Task { get; init; }

    public required int Length { get; init; }

    public required EvaluationSetting Setting { get; init; }

    public required long Seed { get; init; }

    public required int Document { get; init; }

    /// <summary>0 to 1 per question.</summary>
    public IReadOnlyList<double> Scores { get; init; } = [];

    /// <summary>Per question, how deep in the document what it asks about stands, 0 to 1; null when it stands in no one place.</summary>
    public IReadOnlyList<double?> Depths { get; init; } = [];

    public long KvBytes { get; init; }

    public long FullKvBytes { get; init; }

    public long PeakKvBytes { get; init; }

    public double TtftMs { get; init; }

    public double DecodeTokensPerSecond { get; init; }

    public double? KlMean { get; init; }

    public double? Perplexity { get; init; }

    /// <summary>What the entry belongs to; see <see cref="EvaluationPlan.RunOf"/>.</summary>
    public string Run { get; init; } = "";

    /// <summary>What the entry is about, without what came out.</summary>
    public (string, string, int, EvaluationSetting, long, int, string) Key => (Method, Task, Length, Setting, Seed, Document, Run);
}
