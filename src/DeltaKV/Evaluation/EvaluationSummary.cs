namespace DeltaKV.Evaluation;

/// <summary>Adds a journal up.</summary>
internal static class EvaluationSummary
{
    /// <summary>One record per method, task and length, in the plan's order.</summary>
    public static IReadOnlyList<EvaluationRecord> Records(EvaluationPlan plan, EvaluationJournal journal) =>
        [.. from method in plan.Methods
            from task in plan.Tasks
            from length in plan.Lengths
            select Record(plan, journal, method, task, length)];

    /// <summary>Accuracy of a method minus the baseline's over some tasks of one length, and its 95 % interval; null without a baseline.</summary>
    public static (double Difference, double Low, double High)? Difference(
        EvaluationPlan plan, EvaluationJournal journal, string method, IEnumerable<string> tasks, int length)
    {
        var names = tasks.ToArray();
        IReadOnlyList<IReadOnlyList<double>> Scores(string name) =>
            [.. names.SelectMany(task => Entries(plan, journal, name, task, length)).Select(e => e.Scores)];
        var baseline = Scores(EvaluationRunner.Baseline);
        return baseline.Count == 0 ? null : PairedBootstrap.Interval(Scores(method), baseline, plan.Seed);
    }

    /// <summary>What the journal has of one cell, document by document.</summary>
    public static EvaluationJournalEntry[] Entries(EvaluationPlan plan, EvaluationJournal journal, string method, string task, int length)
    {
        var run = plan.RunOf(method, task, length);
        return [.. journal.Entries
            .Where(e => e.Method == method && e.Task == task && e.Length == length && e.Setting == plan.Setting && e.Seed == plan.Seed && e.Run == run)
            .OrderBy(e => e.Document)];
    }

    private static EvaluationRecord Record(EvaluationPlan plan, EvaluationJournal journal, string method, string task, int length)
    {
        var entries = Entries(plan, journal, method, task, length);
        var text = Entries(plan, journal, method, EvaluationJournalEntry.TextTask, length).SingleOrDefault();
        var questions = entries.Sum(e => e.Scores.Count);
        var correct = entries.Sum(e => e.Scores.Sum());
        var (kv, full) = (entries.Average(e => (double)e.KvBytes), entries.Average(e => (double)e.FullKvBytes));
        return new EvaluationRecord(
            method, task, length, plan.Setting, plan.Seed, questions, correct, correct / questions, (long)kv, (long)full,
            full > 0 ? kv / full : 1, entries.Max(e => e.PeakKvBytes), entries.Average(e => e.TtftMs),
            entries.Average(e => e.DecodeTokensPerSecond), text?.KlMean, text?.Perplexity);
    }
}
