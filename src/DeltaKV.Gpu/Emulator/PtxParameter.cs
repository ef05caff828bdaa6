namespace DeltaKV.Gpu.Emulator;

/// <summary>One kernel parameter and its place in the parameter buffer.</summary>
internal sealed record PtxParameter(string Name, int Size, int Alignment, int Offset);
