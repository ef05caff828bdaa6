namespace DeltaKV.Gpu.Compiler.Il;

/// <summary>One memory access: 1, 2 or 4 neighbouring scalars of equal size, from leaf <paramref name="FirstLeaf"/> on.</summary>
internal sealed record AccessGroup(int Offset, int FirstLeaf, ScalarKind[] Kinds);
