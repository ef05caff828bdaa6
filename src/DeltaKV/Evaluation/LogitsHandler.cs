namespace DeltaKV.Evaluation;

/// <summary>Receives the logits <c>[vocabulary]</c> after the token at an index.</summary>
internal delegate void LogitsHandler(int index, ReadOnlySpan<float> logits);
