using System.Security.Cryptography;
using System.Text;
using DeltaKV.Evaluation.Notes;
using DeltaKV.Evaluation.Ruler;

namespace DeltaKV.Evaluation;

/// <summary>What to measure. Two runs of one plan ask the same questions about the same documents.</summary>
internal sealed record EvaluationPlan
{
    /// <summary>The tasks there are.</summary>
    public static IReadOnlyList<string> KnownTasks { get; } = [.. NoteFamily.Names, .. RulerTask.Names];

    /// <summary>Methods by name; <c>full</c> is what the others are compared with and goes first.</summary>
    public required IReadOnlyList<string> Methods { get; init; }

    /// <summary>What the methods are, where their names are not their specifications: see <see cref="EvaluationMethod"/>.</summary>
    public IReadOnlyDictionary<string, string> Specifications { get; init; } = new Dictionary<string, string>();

    /// <summary>What is measured; part of what a journal's entries belong to.</summary>
    public string Model { get; init; } = "";

    /// <summary>Names of <see cref="NoteFamily"/> and <see cref="RulerTask"/>.</summary>
    public required IReadOnlyList<string> Tasks { get; init; }

    /// <summary>Tokens per document, answers included.</summary>
    public required IReadOnlyList<int> Lengths { get; init; }

    /// <summary>Questions per task and length.</summary>
    public int Questions { get; init; } = 100;

    /// <summary>Questions asked of one document at most.</summary>
    public int QuestionsPerDocument { get; init; } = 10;

    /// <summary>Documents follow from it, and from nothing else.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Whether methods see the question while they compress.</summary>
    public EvaluationSetting Setting { get; init; }

    /// <summary>Tokens of plain text over which perplexity and divergence are taken; 0 leaves them out.</summary>
    public int TextTokens { get; init; } = 256;

    /// <summary>The plain text; null means the built-in filler text, which needle-16m has seen in training.</summary>
    public string? Text { get; init; }

    /// <summary>A method by its name.</summary>
    public EvaluationMethod Method(string name) => new(name, Specifications.GetValueOrDefault(name, name));

    /// <summary>What a method is in the cells of the plan.</summary>
    public IEnumerable<string> SpecificationsOf(string name) =>
        Lengths.SelectMany(length => Tasks.Select(task => Method(name).For(task, length))).Distinct(StringComparer.Ordinal);

    /// <summary>All that an entry of a cell depends on besides its own fields: a journal of another run is not taken for this one's.</summary>
    public string RunOf(string method, string task, int length)
    {
        var asked = task == EvaluationJournalEntry.TextTask ? $"{TextTokens} tokens of {TextName}" : $"{Questions} questions, {QuestionsPerDocument} a document";
        return $"{Model}; {asked}; {Method(method).For(task, length)}";
    }

    /// <summary>Refuses unknown names and empty lists.</summary>
    /// <exception cref="EvaluationException">The plan cannot be run.</exception>
    public void Validate()
    {
        if (Tasks.FirstOrDefault(t => !KnownTasks.Contains(t, StringComparer.Ordinal)) is { } unknown)
            throw new EvaluationException($"There is no task '{unknown}'. The tasks are: {string.Join(", ", KnownTasks)}.");
        if (Methods.Count == 0 || Tasks.Count == 0 || Lengths.Count == 0)
            throw new EvaluationException("An evaluation needs at least one method, one task and one length.");
        if (Methods.Distinct(StringComparer.Ordinal).Count() < Methods.Count)
            throw new EvaluationException($"Two methods have the same name; the methods are: {string.Join(", ", Methods)}. Name them apart as LABEL=METHOD.");
        if (Questions < 1 || QuestionsPerDocument < 1)
            throw new EvaluationException($"{Questions} questions, {QuestionsPerDocument} per document: both must be at least 1.");
        if (TextTokens < 0)
            throw new EvaluationException($"{TextTokens} tokens of plain text: expected a number of them, or 0 for none.");
        if (Lengths.FirstOrDefault(l => l < 256 || l <= 2 * TextTokens) is var shortest and > 0)
            throw new EvaluationException($"A length of {shortest} tokens is too short; use at least {Math.Max(256, 2 * TextTokens + 1)}.");
    }

    private string TextName => Text is null ? "built-in text" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)))[..16];
}
