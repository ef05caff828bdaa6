namespace DeltaKV.Engine;

/// <summary>One generated token on its way to the caller, with the reason if it is the last.</summary>
internal readonly record struct SequenceEvent(int Token, FinishReason? Finish);
