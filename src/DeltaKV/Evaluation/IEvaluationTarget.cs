namespace DeltaKV.Evaluation;

/// <summary>A model with one KV method switched on.</summary>
internal interface IEvaluationTarget : IDisposable
{
    /// <summary>The model's tokenizer.</summary>
    IEvaluationTokenizer Tokenizer { get; }

    /// <summary>Refuses, before anything runs, a context that will not fit in memory or in the model.</summary>
    void EnsureFits(int tokens);

    /// <summary>Prefills a context chunk by chunk and leaves it as the method keeps it. May be empty.</summary>
    IEvaluationContext Start(ReadOnlySpan<int> context);
}
