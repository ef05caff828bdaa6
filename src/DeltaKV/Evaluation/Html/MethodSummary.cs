namespace DeltaKV.Evaluation.Html;

/// <summary>A point of the frontier: one method over all tasks of one length.</summary>
internal sealed record MethodSummary(string Method, double Ratio, double Accuracy, double Low, double High)
{
    /// <summary>One summary per method, in the plan's order; without a baseline the interval is empty.</summary>
    public static IReadOnlyList<MethodSummary> Of(
        EvaluationPlan plan, EvaluationJournal journal, IReadOnlyList<EvaluationRecord> records, int length) =>
        [.. plan.Methods.Select(method =>
        {
            var own = records.Where(r => r.Method == method && r.Length == length).ToArray();
            var accuracy = own.Sum(r => r.Correct) / own.Sum(r => r.Questions);
            var difference = EvaluationSummary.Difference(plan, journal, method, plan.Tasks, length) ?? (0, 0, 0);
            return new MethodSummary(
                method, own.Sum(r => (double)r.KvBytes) / Math.Max(1, own.Sum(r => (double)r.FullKvBytes)), accuracy,
                accuracy + difference.Low - difference.Difference, accuracy + difference.High - difference.Difference);
        })];
}
