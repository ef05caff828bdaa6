namespace DeltaKV.Evaluation;

/// <summary>An evaluation cannot be run as asked; the message says why and what to change.</summary>
public sealed class EvaluationException : Exception
{
    /// <summary>An exception without a message.</summary>
    public EvaluationException()
    {
    }

    /// <summary>An exception that says what was found, what was expected and what to do.</summary>
    public EvaluationException(string message)
        : base(message)
    {
    }

    /// <summary>The same, with its cause.</summary>
    public EvaluationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
