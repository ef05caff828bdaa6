namespace DeltaKV.Evaluation;

/// <summary>Runs a plan method by method, remembering every finished document in a journal.</summary>
internal sealed class EvaluationRunner(
    EvaluationPlan plan, EvaluationJournal journal, Func<string, IEvaluationTarget> open, IProgress<EvaluationProgress>? progress = null)
{
    /// <summary>The method the others are compared with.</summary>
    public const string Baseline = "full";

    private readonly Dictionary<int, float[][]> _baselineText = [];
    private EvaluationDocuments? _documents;
    private int _completed;

    /// <summary>Runs what the journal lacks and returns the table of all methods, tasks and lengths.</summary>
    public IReadOnlyList<EvaluationRecord> Run(CancellationToken cancellation = default)
    {
        plan.Validate();
        foreach (var method in plan.Methods.OrderBy(m => m != Baseline))
        {
            using var target = open(method);
            target.EnsureFits(plan.Lengths.Max());
            _documents ??= new EvaluationDocuments(plan, target.Tokenizer);
            foreach (var length in plan.Lengths)
            {
                if (plan.TextTokens > 0)
                    Text(target, method, length);
                foreach (var task in plan.Tasks)
                    Task(target, method, task, length, cancellation);
            }
        }

        return EvaluationSummary.Records(plan, journal);
    }

    private void Task(IEvaluationTarget target, string method, string task, int length, CancellationToken cancellation)
    {
        var documents = _documents!.Of(task, length);
        for (var i = 0; i < documents.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var entry = NewEntry(method, task, length, i);
            if (!journal.Contains(entry))
                journal.Add(plan.Setting == EvaluationSetting.Agnostic ? Agnostic(target, documents[i], entry) : Aware(target, documents[i], entry));
            Report($"{method} {task} {length} {i + 1}/{documents.Count}");
        }
    }

    private static EvaluationJournalEntry Agnostic(IEvaluationTarget target, EvaluationDocument document, EvaluationJournalEntry entry)
    {
        using var context = target.Start(document.Context);
        var answers = document.Questions.Select(q => context.Ask(q.Turn, q.MaximumTokens, document.Conversation)).ToArray();
        return Scored(target, document, entry, answers);
    }

    private static EvaluationJournalEntry Aware(IEvaluationTarget target, EvaluationDocument document, EvaluationJournalEntry entry)
    {
        var answers = document.Questions.Select(question =>
        {
            using var context = target.Start([]);
            return context.Ask(question.Prompt, question.MaximumTokens, keep: false);
        }).ToArray();
        return Scored(target, document, entry, answers);
    }

    private static EvaluationJournalEntry Scored(
        IEvaluationTarget target, EvaluationDocument document, EvaluationJournalEntry entry, EvaluationAnswer[] answers) => entry with
        {
            Scores = [.. document.Questions.Zip(answers, (q, a) => q.Score(target.Tokenizer.Decode(a.Tokens)))],
            Depths = [.. document.Questions.Select(document.Depth)],
            KvBytes = (long)answers.Average(a => a.KvBytes),
            FullKvBytes = (long)answers.Average(a => a.FullKvBytes),
            PeakKvBytes = answers.Max(a => a.PeakKvBytes),
            TtftMs = answers.Average(a => a.TimeToFirstTokenMs),
            DecodeTokensPerSecond = answers.Select(a => a.DecodeTokensPerSecond).Where(t => t > 0).DefaultIfEmpty().Average(),
        };

    /// <summary>The baseline's predictions are not journaled (they are large), so it is scored again when another method needs them.</summary>
    private void Text(IEvaluationTarget target, string method, int length)
    {
        var entry = NewEntry(method, EvaluationJournalEntry.TextTask, length, 0);
        var needed = method == Baseline && plan.Methods.Any(m => !journal.Contains(entry with { Method = m }));
        if (needed || !journal.Contains(entry))
        {
            var (logProbabilities, perplexity) = TextDivergence.Measure(target, _documents!.PlainText(length), plan.TextTokens);
            if (method == Baseline)
                _baselineText[length] = logProbabilities;
            journal.Add(entry with
            {
                Perplexity = perplexity,
                KlMean = _baselineText.TryGetValue(length, out var full) ? TextDivergence.MeanDivergence(full, logProbabilities) : null,
            });
        }

        Report($"{method} {EvaluationJournalEntry.TextTask} {length}");
    }

    private EvaluationJournalEntry NewEntry(string method, string task, int length, int document) => new()
    {
        Method = method, Task = task, Length = length, Setting = plan.Setting, Seed = plan.Seed, Document = document,
    };

    private void Report(string current)
    {
        var perMethod = plan.Lengths.Sum(l => (plan.TextTokens > 0 ? 1 : 0) + plan.Tasks.Sum(t => _documents!.Of(t, l).Count));
        progress?.Report(new EvaluationProgress(++_completed, perMethod * plan.Methods.Count, current));
    }
}
