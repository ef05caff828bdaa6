namespace DeltaKV.Evaluation;

/// <summary>When the question is seen.</summary>
public enum EvaluationSetting
{
    /// <summary>After compression: the document is compressed alone and every question continues from the same cache.</summary>
    Agnostic,

    /// <summary>Before compression: the question stands in the prompt, and a method may keep what it needs.</summary>
    Aware,
}
