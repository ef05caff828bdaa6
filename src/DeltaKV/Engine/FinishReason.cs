namespace DeltaKV.Engine;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model produced a token that ends its answer.</summary>
    EndOfText,

    /// <summary>The text reached one of the caller's stop sequences.</summary>
    StopSequence,

    /// <summary>The token limit of the request or the end of the context was reached.</summary>
    Length,
}
