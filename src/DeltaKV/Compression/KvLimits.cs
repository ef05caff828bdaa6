namespace DeltaKV.Compression;

/// <summary>Bounds that buffers are sized by.</summary>
/// <param name="Sequences">Sequences of a step, padding of a graph bucket included.</param>
/// <param name="StepTokens">New tokens of a step.</param>
/// <param name="SequenceTokens">Tokens of a sequence.</param>
/// <param name="ScratchBytes">Room to reconstruct one layer of one prompt in while it is prefilled, part after part if need be; 0: never, always fused.</param>
internal readonly record struct KvLimits(int Sequences, int StepTokens, int SequenceTokens, long ScratchBytes);
