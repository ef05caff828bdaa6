namespace DeltaKV.Gpu.Compiler.Frontend;

/// <summary>What a reference to a variable in registers refers to: bytes from an offset on.</summary>
internal sealed record Place(Variable Variable, int Offset);
