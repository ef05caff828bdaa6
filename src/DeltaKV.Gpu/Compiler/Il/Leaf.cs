namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>One scalar of a type, at its byte offset.</summary>
internal readonly record struct Leaf(ScalarKind Kind, int Offset);
