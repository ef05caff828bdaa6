using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using DeltaKV.Gpu;

namespace DeltaKV.Evaluation;

/// <summary>Runs a plan, remembering every finished document in a journal.</summary>
/// <param name="plan">What to measure.</param>
/// <param name="journal">What is measured already, and where the rest goes.</param>
/// <param name="tokenizer">The model's.</param>
/// <param name="open">Opens a method by its specification; called from several threads if there are several workers.</param>
/// <param name="progress">Told of every finished document, by one worker at a time.</param>
internal sealed class EvaluationRunner(
    EvaluationPlan plan, EvaluationJournal journal, IEvaluationTokenizer tokenizer, Func<string, IEvaluationTarget> open, IProgress<EvaluationProgress>? progress = null)
{
    /// <summary>The method the others are compared with.</summary>
    public const string Baseline = "full";

    private readonly EvaluationDocuments _documents = new(plan, tokenizer);
    private readonly Dictionary<int, float[][]> _baselineText = [];
    private readonly ConcurrentDictionary<string, Exception> _failures = new(StringComparer.Ordinal);
    private readonly Lock _progressGate = new();
    private int _completed;
    private int _total;

    /// <summary>What a method still has to do with one and the same target.</summary>
    private sealed record Portion(string Method, string Specification, IReadOnlyList<(string Task, int Length)> Cells);

    /// <summary>How many methods are run side by side.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Methods that could not be measured, and why; the results are without them.</summary>
    public IReadOnlyDictionary<string, Exception> Failures => _failures;

    /// <summary>The plan without the methods that failed.</summary>
    public EvaluationPlan Measured => plan with { Methods = [.. plan.Methods.Where(method => !_failures.ContainsKey(method))] };

    /// <summary>Runs what the journal lacks and returns the table of all methods, tasks and lengths. A method that fails does not keep the others from being measured.</summary>
    public IReadOnlyList<EvaluationRecord> Run(CancellationToken cancellation = default)
    {
        plan.Validate();
        var portions = plan.Methods.OrderBy(m => m != Baseline).SelectMany(Portions).ToArray();
        if (portions.Length == 0)
            return EvaluationSummary.Records(plan, journal);
        var baseline = MeasureBaselineText(portions, cancellation);
        if (portions[0].Method != Baseline)
            baseline?.Dispose();
        ForEach(portions, (portion, stop) => Work(portion, (portion.Method == Baseline ? baseline : null) ?? open(portion.Specification), stop), cancellation);
        return EvaluationSummary.Records(Measured, journal);
    }

    /// <summary>Cells that are not complete, by the specification that a method has in them.</summary>
    private Portion[] Portions(string name)
    {
        var method = plan.Method(name);
        var text = plan.TextTokens > 0 && method.IsSameForAllTasks ? [EvaluationJournalEntry.TextTask] : Array.Empty<string>();
        var cells = plan.Lengths.SelectMany(length => text.Concat(plan.Tasks).Select(task => (Task: task, Length: length))).ToArray();
        _total += cells.Sum(Count);
        var missing = cells.Where(cell => Missing(name, cell).Any()).ToArray();
        _completed += cells.Sum(Count) - missing.Sum(cell => Missing(name, cell).Count());
        return [.. missing.GroupBy(cell => method.For(cell.Task, cell.Length)).Select(group => new Portion(name, group.Key, [.. group]))];
    }

    private int Count((string Task, int Length) cell) => cell.Task == EvaluationJournalEntry.TextTask ? 1 : _documents.Of(cell.Task, cell.Length).Count;

    private IEnumerable<EvaluationJournalEntry> Missing(string method, (string Task, int Length) cell) =>
        Enumerable.Range(0, Count(cell)).Select(i => NewEntry(method, cell, i)).Where(entry => !journal.Contains(entry));

    private EvaluationJournalEntry NewEntry(string method, (string Task, int Length) cell, int document) => new()
    {
        Method = method, Task = cell.Task, Length = cell.Length, Setting = plan.Setting, Seed = plan.Seed, Document = document,
        Run = plan.RunOf(method, cell.Task, cell.Length),
    };

    /// <summary>
    /// The baseline's predictions are not journaled (they are large), so it reads the text again when another method is to be compared with it. Returns its target for
    /// the rest of its work; null if no text was to be read.
    /// </summary>
    private IEvaluationTarget? MeasureBaselineText(IReadOnlyList<Portion> portions, CancellationToken cancellation)
    {
        var lengths = portions.SelectMany(p => p.Cells).Where(c => c.Task == EvaluationJournalEntry.TextTask).Select(c => c.Length).Distinct().ToArray();
        if (lengths.Length == 0 || !plan.Methods.Contains(Baseline, StringComparer.Ordinal))
            return null;
        var target = open(plan.Method(Baseline).Specification);
        try
        {
            target.EnsureFits(plan.Lengths.Max());
            foreach (var length in lengths)
            {
                cancellation.ThrowIfCancellationRequested();
                var (logProbabilities, perplexity) = TextDivergence.Measure(target, _documents.PlainText(length), plan.TextTokens);
                _baselineText[length] = logProbabilities;
                var entry = NewEntry(Baseline, (EvaluationJournalEntry.TextTask, length), 0) with { Perplexity = perplexity, KlMean = 0 };
                if (!journal.Contains(entry))
                    Finish(entry);
            }

            return target;
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }

    private void Work(Portion portion, IEvaluationTarget opened, CancellationToken cancellation)
    {
        using var target = opened;
        target.EnsureFits(portion.Cells.Max(cell => cell.Length));
        foreach (var cell in portion.Cells)
        {
            foreach (var entry in Missing(portion.Method, cell).ToArray())
            {
                cancellation.ThrowIfCancellationRequested();
                Finish(cell.Task == EvaluationJournalEntry.TextTask ? Text(target, entry) : Ask(target, _documents.Of(cell.Task, cell.Length)[entry.Document], entry));
            }
        }
    }

    private EvaluationJournalEntry Ask(IEvaluationTarget target, EvaluationDocument document, EvaluationJournalEntry entry)
    {
        using var context = target.Start(plan.Setting == EvaluationSetting.Agnostic ? document.Context : []);
        IReadOnlyList<EvaluationAnswer> answers = plan.Setting switch
        {
            EvaluationSetting.Aware => context.AskEach([.. document.Questions.Select(q => new EvaluationTurn(q.Prompt, q.MaximumTokens))]),
            _ when document.Conversation => [.. document.Questions.Select(q => context.Ask(q.Turn, q.MaximumTokens, keep: true))],
            _ => context.AskEach([.. document.Questions.Select(q => new EvaluationTurn(q.Turn, q.MaximumTokens))]),
        };
        return Scored(target, document, entry, answers);
    }

    private static EvaluationJournalEntry Scored(
        IEvaluationTarget target, EvaluationDocument document, EvaluationJournalEntry entry, IReadOnlyList<EvaluationAnswer> answers) => entry with
        {
            Scores = [.. document.Questions.Zip(answers, (q, a) => q.Score(target.Tokenizer.Decode(a.Tokens)))],
            Depths = [.. document.Questions.Select(document.Depth)],
            KvBytes = (long)answers.Average(a => a.KvBytes),
            FullKvBytes = (long)answers.Average(a => a.FullKvBytes),
            PeakKvBytes = answers.Max(a => a.PeakKvBytes),
            TtftMs = answers.Average(a => a.TimeToFirstTokenMs),
            DecodeTokensPerSecond = answers.Select(a => a.DecodeTokensPerSecond).Where(t => t > 0).DefaultIfEmpty().Average(),
        };

    private EvaluationJournalEntry Text(IEvaluationTarget target, EvaluationJournalEntry entry)
    {
        var (logProbabilities, perplexity) = TextDivergence.Measure(target, _documents.PlainText(entry.Length), plan.TextTokens);
        return entry with
        {
            Perplexity = perplexity,
            KlMean = _baselineText.TryGetValue(entry.Length, out var full) ? TextDivergence.MeanDivergence(full, logProbabilities) : null,
        };
    }

    private void Finish(EvaluationJournalEntry entry)
    {
        lock (_progressGate)
        {
            journal.Add(entry);
            progress?.Report(new EvaluationProgress(++_completed, _total, entry.Task == EvaluationJournalEntry.TextTask
                ? $"{entry.Method} {entry.Task} {entry.Length}"
                : $"{entry.Method} {entry.Task} {entry.Length} {entry.Document + 1}/{_documents.Of(entry.Task, entry.Length).Count}"));
        }
    }

    /// <summary>Hands the portions out in order. Without the baseline, or without the device, there is nothing left to do.</summary>
    private void ForEach(IReadOnlyList<Portion> portions, Action<Portion, CancellationToken> work, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            Parallel.ForEach(
                Partitioner.Create(portions, EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = Workers },
                portion =>
                {
                    try
                    {
                        work(portion, stop.Token);
                    }
                    catch (Exception error) when (error is not (OperationCanceledException or AcceleratorLostException) && portion.Method != Baseline)
                    {
                        _failures.TryAdd(portion.Method, error);
                    }
                    catch
                    {
                        stop.Cancel();
                        throw;
                    }
                });
        }
        catch (AggregateException failures)
        {
            cancellation.ThrowIfCancellationRequested();
            ExceptionDispatchInfo.Throw(failures.InnerExceptions.FirstOrDefault(e => e is not OperationCanceledException) ?? failures.InnerExceptions[0]);
        }
    }
}
